//! People on the wire.

use chassis::{refusal::Refusal, vault::Vault, wire};
use contracts::linli::governance::v1 as pb;
use kernel::{etag::Etag, name::PersonName};

use super::{sealed::Clear, store::Person};

/// The name of a stored person.
pub(crate) fn name(person: &Person) -> Result<PersonName, Refusal> {
    PersonName::new(&person.town, &person.id).map_err(Refusal::internal)
}

/// The personal columns of a stored person, in clear.
pub(crate) fn open(vault: &Vault, person: &Person) -> Result<Clear, Refusal> {
    Clear::open(vault, &name(person)?, &person.name_sealed, &person.citizen_sealed)
}

fn bare(person: &Person) -> pb::Person {
    pb::Person {
        name: format!("towns/{}/people/{}", person.town, person.id),
        sex: pb::Sex::from_str_name(&format!("SEX_{}", person.sex)).unwrap_or_default().into(),
        etag: Etag::of(person.version).to_string(),
        create_time: Some(wire::to_timestamp(person.created)),
        update_time: Some(wire::to_timestamp(person.updated)),
        ..Default::default()
    }
}

/// A person with stars.
pub(crate) fn masked(vault: &Vault, person: &Person) -> Result<pb::Person, Refusal> {
    let clear = open(vault, person)?;
    let (full_name, citizen_id) = (clear.masked_name(), clear.citizen.masked());
    Ok(pb::Person { full_name, citizen_id, masked: true, ..bare(person) })
}

/// A person in clear: for who may see it, after the reading was kept.
pub(crate) fn revealed(vault: &Vault, person: &Person) -> Result<pb::Person, Refusal> {
    let clear = open(vault, person)?;
    Ok(pb::Person {
        birth_date: Some(wire::to_date(clear.birth_date())),
        citizen_id: clear.citizen.reveal().to_owned(),
        full_name: clear.full_name,
        ..bare(person)
    })
}
