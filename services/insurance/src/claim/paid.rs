//! What was paid of a claim, and what was taken back. Pure.

use kernel::money::Fen;

use super::store::Payment;

/// The number of the row that took a payment back.
pub(crate) fn reversed_by(payments: &[Payment], n: i32) -> Option<i32> {
    payments.iter().find(|one| one.reverses == Some(n)).map(|one| one.n)
}

/// The payments that stand: neither reversals nor taken back.
pub(crate) fn standing(payments: &[Payment]) -> impl Iterator<Item = &Payment> {
    payments.iter().filter(|one| one.reverses.is_none() && reversed_by(payments, one.n).is_none())
}

/// What a programme has paid, less what was taken back.
pub(crate) fn by_programme(payments: &[Payment], programme: &str) -> Fen {
    let its = payments.iter().filter(|one| one.programme == programme);
    Fen::of(its.map(|one| one.amount_fen).sum())
}

/// Whether a payment waits for the household.
pub(crate) fn unconfirmed(payments: &[Payment]) -> bool {
    standing(payments).any(|one| one.confirmed_on.is_none())
}

/// The first programme that has paid more than is approved, with both. `approved` says what is approved of a programme now.
pub(crate) fn above(payments: &[Payment], approved: impl Fn(&str) -> Fen) -> Option<(String, Fen, Fen)> {
    payments.iter().find_map(|one| {
        let (paid, now) = (by_programme(payments, &one.programme), approved(&one.programme));
        (paid > now).then(|| (one.programme.clone(), paid, now))
    })
}
