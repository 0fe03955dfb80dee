//! Amounts of requests: each fault by its own name.

use crate::refusal::{
    AMOUNT_CURRENCY, AMOUNT_NEGATIVE, AMOUNT_NOT_IN_FEN, AMOUNT_NOT_POSITIVE, AMOUNT_OVERFLOW, Faults,
    FieldFault, Reason, Refusal,
};
use contracts::google::r#type::Money;
use kernel::money::{CURRENCY, Fen, MoneyError};

/// The reasons that are told as such when nothing else is wrong with a request.
static OWN: &[&Reason] =
    &[&AMOUNT_NOT_POSITIVE, &AMOUNT_NEGATIVE, &AMOUNT_NOT_IN_FEN, &AMOUNT_OVERFLOW, &AMOUNT_CURRENCY];

/// An amount in fen, of any sign.
///
/// # Errors
/// A fault of `field`: nothing given, another currency, a part below one fen, more than 64 bits hold.
pub fn any_amount(field: &str, given: Option<&Money>) -> Result<Fen, FieldFault> {
    let Some(given) = given else { return Err(FieldFault::new(field, "REQUIRED", "必填", "required")) };
    let fault =
        |reason, zh: &str, error: MoneyError| Err(FieldFault::new(field, reason, zh, error.to_string()));
    match Fen::parse(&given.currency_code, given.units, given.nanos) {
        Ok(fen) => Ok(fen),
        Err(error @ MoneyError::Currency) => fault("AMOUNT_CURRENCY", "只能以人民币 CNY 计", error),
        Err(error @ MoneyError::SubFen) => fault("AMOUNT_NOT_IN_FEN", "金额最多两位小数", error),
        Err(error @ MoneyError::Overflow) => fault("AMOUNT_OVERFLOW", "超出可记账范围", error),
        Err(error @ (MoneyError::Nanos | MoneyError::Sign)) => {
            fault("FORMAT", "units 与 nanos 不是一个金额", error)
        }
    }
}

/// An amount above zero.
///
/// # Errors
/// Those of [`any_amount`]; AMOUNT_NOT_POSITIVE.
pub fn amount(field: &str, given: Option<&Money>) -> Result<Fen, FieldFault> {
    match any_amount(field, given)? {
        fen if fen > Fen::ZERO => Ok(fen),
        _ => Err(FieldFault::new(field, "AMOUNT_NOT_POSITIVE", "须大于零", "must be more than nothing")),
    }
}

/// An amount that isn't below zero.
///
/// # Errors
/// Those of [`any_amount`]; AMOUNT_NEGATIVE.
pub fn amount_or_nothing(field: &str, given: Option<&Money>) -> Result<Fen, FieldFault> {
    match any_amount(field, given)? {
        fen if fen >= Fen::ZERO => Ok(fen),
        _ => Err(FieldFault::new(field, "AMOUNT_NEGATIVE", "不能为负", "must not be below zero")),
    }
}

/// `value` when nothing was noted. A fault of an amount that is the only one is told by its own reason.
///
/// # Errors
/// The reason of the amount, or BAD_REQUEST with every fault.
pub fn finish<T>(faults: Faults, value: Option<T>) -> Result<T, Refusal> {
    faults.finish(value).map_err(|refusal| refusal.by_its_own(OWN))
}

/// An amount on the wire.
pub fn to_money(fen: Fen) -> Money {
    let (units, nanos) = fen.to_units_nanos();
    Money { currency_code: CURRENCY.to_owned(), units, nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(currency: &str, units: i64, nanos: i32) -> String {
        let money = Money { currency_code: currency.to_owned(), units, nanos };
        let mut faults = Faults::default();
        let read = faults.take(amount("expense.amount", Some(&money)));
        finish(faults, read).map_or_else(|refusal| refusal.reason().name.to_owned(), |fen| fen.to_string())
    }

    #[test]
    fn each_bad_amount_has_its_own_reason() {
        assert_eq!(reason("CNY", 0, 0), "AMOUNT_NOT_POSITIVE");
        assert_eq!(reason("CNY", -20, 0), "AMOUNT_NOT_POSITIVE");
        assert_eq!(reason("CNY", 10, 5_000_000), "AMOUNT_NOT_IN_FEN");
        assert_eq!(reason("CNY", 92_233_720_368_547_758, 80_000_000), "AMOUNT_OVERFLOW");
        assert_eq!(reason("USD", 10, 0), "AMOUNT_CURRENCY");
        assert_eq!(reason("CNY", 10, 50_000_000), "10.05");
    }

    #[test]
    fn of_several_faults_all_are_listed() {
        let mut faults = Faults::default();
        let read = faults.take(amount("amount", None));
        faults.push(FieldFault::new("purpose", "REQUIRED", "必填", "required"));
        let refusal = finish(faults, read).unwrap_err();
        assert_eq!((refusal.reason().name, refusal.offending().len()), ("BAD_REQUEST", 2));
    }
}
