//! Personal columns: sealed for the store, opened for who may see them, masked for everybody else.

use chassis::{refusal::Refusal, vault::Vault};
use jiff::civil::Date;
use kernel::{ids::CitizenId, name::PersonName};

/// What is personal about a person, in clear. Prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Clear {
    pub(crate) full_name: String,
    pub(crate) citizen: CitizenId,
}

impl std::fmt::Debug for Clear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clear(…)")
    }
}

/// The same as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) name: Vec<u8>,
    pub(crate) citizen: Vec<u8>,
    pub(crate) birth: Vec<u8>,
    pub(crate) name_index: Vec<u8>,
    pub(crate) citizen_index: Vec<u8>,
    pub(crate) key: i32,
}

/// What a name is found by.
pub(crate) fn name_index(vault: &Vault, town: &str, full_name: &str) -> Vec<u8> {
    vault.index(&format!("{town} full_name"), full_name).to_vec()
}

/// What an identity number is found by.
pub(crate) fn citizen_index(vault: &Vault, town: &str, citizen: &CitizenId) -> Vec<u8> {
    vault.index(&format!("{town} citizen_id"), citizen.reveal()).to_vec()
}

impl Clear {
    /// Seals it for the row of `person`.
    pub(crate) fn seal(&self, vault: &Vault, person: &PersonName) -> Result<Sealed, Refusal> {
        let seal = |column: &str, plain: &str| vault.seal(&format!("{person} {column}"), plain.as_bytes());
        Ok(Sealed {
            name: seal("full_name", &self.full_name)?,
            citizen: seal("citizen_id", self.citizen.reveal())?,
            birth: seal("birth_date", &self.birth_date().to_string())?,
            name_index: name_index(vault, person.town(), &self.full_name),
            citizen_index: citizen_index(vault, person.town(), &self.citizen),
            key: vault.sealing_column()?,
        })
    }

    /// Opens the columns of the row of `person`.
    pub(crate) fn open(
        vault: &Vault,
        person: &PersonName,
        name: &[u8],
        citizen: &[u8],
    ) -> Result<Clear, Refusal> {
        let full_name = vault.open_text(&format!("{person} full_name"), name)?;
        let citizen = vault.open_text(&format!("{person} citizen_id"), citizen)?;
        let citizen = CitizenId::parse(&citizen).map_err(Refusal::internal)?;
        Ok(Clear { full_name, citizen })
    }

    /// The date of birth, which is that of the identity number.
    pub(crate) fn birth_date(&self) -> Date {
        self.citizen.birth_date()
    }

    /// The first sign of the name, stars behind it: `钱**`.
    pub(crate) fn masked_name(&self) -> String {
        self.full_name.chars().enumerate().map(|(n, sign)| if n == 0 { sign } else { '*' }).collect()
    }
}
