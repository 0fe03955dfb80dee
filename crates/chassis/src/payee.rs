//! Who is paid 收款人: sealed for the store, opened for who may see it, masked for everybody else.

use contracts::linli::common::v1 as pb;

use crate::{
    fields,
    refusal::{FieldFault, Refusal},
    vault::Vault,
};

/// Digits of an account number, at least and at most.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=32;
/// How many of them a masked one shows.
const SHOWN: usize = 4;

/// Who is paid, in clear. Prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Payee {
    /// The name of the account 户名.
    pub display_name: String,
    /// The bank and branch 开户行; empty when not said.
    pub bank: String,
    /// The number of the account 账号, digits alone.
    pub account_number: String,
}

impl std::fmt::Debug for Payee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payee(…)")
    }
}

fn place(resource: &str) -> String {
    format!("{resource} payee")
}

impl Payee {
    /// Of a request.
    ///
    /// # Errors
    /// The faults of its fields; none repeats what was written.
    pub fn parse(field: &str, given: Option<&pb::Payee>) -> Result<Payee, Vec<FieldFault>> {
        let default = pb::Payee::default();
        let given = given.unwrap_or(&default);
        let mut faults = Vec::new();
        let at = |name: &str| format!("{field}.{name}");
        if given.masked || given.account_number.contains('*') || given.display_name.contains('*') {
            faults.push(FieldFault::new(
                field,
                "MASKED",
                "是遮盖后的收款人，请填写全称与账号，或不填此项",
                "a masked payee: write name and account in full, or leave the field out",
            ));
            return Err(faults);
        }
        let mut text = |name: &str, text: &str| match fields::display(&at(name), text) {
            Ok(text) => text,
            Err(fault) => {
                faults.push(fault);
                String::new()
            }
        };
        let display_name = text("display_name", &given.display_name);
        let bank = if given.bank.trim().is_empty() { String::new() } else { text("bank", &given.bank) };
        let account_number: String =
            given.account_number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if !DIGITS.contains(&account_number.len()) || !account_number.bytes().all(|b| b.is_ascii_digit()) {
            let (zh, en) = ("账号须为 6 至 32 位数字", "an account number has 6 to 32 digits");
            faults.push(FieldFault::new(at("account_number"), "FORMAT", zh, en));
        }
        if faults.is_empty() { Ok(Payee { display_name, bank, account_number }) } else { Err(faults) }
    }

    /// Sealed for the row of `resource`.
    pub fn seal(&self, vault: &Vault, resource: &str) -> Result<Vec<u8>, Refusal> {
        // none of the three holds a line end: `display` refuses what nobody sees
        let plain = [&*self.display_name, &*self.bank, &*self.account_number].join("\n");
        vault.seal(&place(resource), plain.as_bytes())
    }

    /// Opened from the row of `resource`.
    pub fn open(vault: &Vault, resource: &str, sealed: &[u8]) -> Result<Payee, Refusal> {
        let plain = vault.open_text(&place(resource), sealed)?;
        let mut parts = plain.split('\n').map(str::to_owned);
        let mut next = || parts.next().ok_or_else(|| Refusal::internal("a payee of another form"));
        Ok(Payee { display_name: next()?, bank: next()?, account_number: next()? })
    }

    /// The first sign of the name and the last digits of the account: `钱**`, `******1234`.
    pub fn masked(&self) -> pb::Payee {
        let name = self.display_name.chars().enumerate().map(|(n, sign)| if n == 0 { sign } else { '*' });
        let hidden = self.account_number.len().saturating_sub(SHOWN);
        let account =
            self.account_number.chars().enumerate().map(|(n, digit)| if n < hidden { '*' } else { digit });
        pb::Payee {
            display_name: name.collect(),
            bank: String::new(),
            account_number: account.collect(),
            masked: true,
        }
    }

    /// In clear, for who may see it, after the reading was kept.
    pub fn revealed(&self) -> pb::Payee {
        pb::Payee {
            display_name: self.display_name.clone(),
            bank: self.bank.clone(),
            account_number: self.account_number.clone(),
            masked: false,
        }
    }

    /// What a bank wrote, without name and account: a reason is kept, the person is not.
    pub fn scrub(&self, text: &str) -> String {
        let nameless = text.replace(&self.display_name, "…");
        let mut out = String::new();
        let mut digits = String::new();
        for c in nameless.chars().chain(['\0']) {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            out.push_str(if digits.len() < *DIGITS.start() { &digits } else { "…" });
            digits.clear();
            out.push(c);
        }
        out.pop();
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payee(account: &str) -> pb::Payee {
        pb::Payee {
            display_name: "钱甲子文具店".to_owned(),
            bank: "工商银行嘉定支行".to_owned(),
            account_number: account.to_owned(),
            masked: false,
        }
    }

    #[test]
    fn it_opens_at_its_place_and_is_masked_elsewhere() {
        let vault = Vault::random().unwrap();
        let clear = Payee::parse("payee", Some(&payee("6222 0210-0112 3456 789"))).unwrap();
        let sealed = clear.seal(&vault, "towns/malu/expenses/a").unwrap();
        assert_eq!(Payee::open(&vault, "towns/malu/expenses/a", &sealed).unwrap(), clear);
        assert!(Payee::open(&vault, "towns/malu/expenses/b", &sealed).is_err());
        let masked = clear.masked();
        assert_eq!(
            (masked.display_name.as_str(), masked.account_number.as_str()),
            ("钱*****", "***************6789")
        );
        assert!(masked.bank.is_empty() && Payee::parse("payee", Some(&masked)).is_err());
        assert_eq!(format!("{clear:?}"), "Payee(…)");
    }

    #[test]
    fn faults_name_fields_and_repeat_nothing() {
        let wrong = pb::Payee { display_name: "钱\u{200B}甲".to_owned(), ..payee("62220x") };
        let faults = Payee::parse("expense.payee", Some(&wrong)).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["expense.payee.display_name", "expense.payee.account_number"]);
        assert!(faults.iter().all(|fault| !fault.zh.contains('钱') && !fault.en.contains("62220")));
        assert_eq!(Payee::parse("payee", None).unwrap_err().len(), 2);
    }

    proptest! {
        #[test]
        fn what_a_bank_says_is_kept_without_the_person(before in "[^0-9钱]{0,8}", after in "[^0-9钱]{0,8}") {
            let clear = Payee::parse("payee", Some(&payee("6222021001123456789"))).unwrap();
            let said = format!("{before}钱甲子文具店{after}6222021001123456789号{before}21{after}");
            let kept = clear.scrub(&said);
            prop_assert!(!kept.contains("钱甲子") && !kept.contains("622202"));
            prop_assert_eq!(kept, format!("{before}…{after}…号{before}21{after}"));
        }
    }
}
