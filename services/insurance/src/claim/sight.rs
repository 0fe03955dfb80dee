//! What a caller sees of a claim: the town and its committee all of it, an insurer 保险人 his own lines and what they come to.

use chassis::identity::Scope;
use kernel::{money::Fen, state::Named};

use super::store::{Line, Payment, Row};
use crate::adjudication::{Outcome, Rule};

/// Whether the caller sees a line of `insurer`.
pub(super) fn sees(scope: &Scope, row: &Row, insurer: &str) -> bool {
    sees_all(scope, row) || scope.organisations().iter().any(|id| id == insurer)
}

/// Whether he sees all lines.
pub(super) fn sees_all(scope: &Scope, row: &Row) -> bool {
    scope.holds_committee(&row.committee)
}

/// Whether a scope holds a claim.
pub(crate) fn holds(scope: &Scope, row: &Row) -> bool {
    sees_all(scope, row) || row.insurers.iter().any(|id| scope.organisations().contains(id))
}

/// What the lines of one insurer come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    /// What was decided; nothing without a line.
    pub(super) outcome: Option<&'static str>,
    /// The rule that decided, where something isn't paid.
    pub(super) rule: Option<String>,
    /// What is to be paid.
    pub(super) approved: Fen,
}

impl Own {
    /// Of these lines of one decision, in their order: by the same rules as the whole.
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a Line> + Clone) -> Own {
        let approved = Fen::of(lines.clone().map(|line| line.approved_fen).sum());
        let refused = |line: &&Line| line.outcome == Outcome::Rejected.name();
        let left = |line: &&Line| line.rule.as_deref() == Some(Rule::NothingLeft.name());
        let short = lines.clone().find(|line| refused(line) && !left(line));
        let (outcome, line) = match (approved > Fen::ZERO, short) {
            (true, None) => (Outcome::Approved, None),
            (true, Some(short)) => (Outcome::InPart, Some(short)),
            (false, _) => (Outcome::Rejected, lines.clone().find(refused).or_else(|| lines.clone().next())),
        };
        let told = lines.clone().next().map(|_| outcome.name());
        Own { outcome: told, rule: line.and_then(|line| line.rule.clone()), approved }
    }
}

/// The row as an insurer sees it: what his lines of the decision in force come to, what he paid, and himself alone.
pub(super) fn own_row(scope: &Scope, row: &Row, lines: &[Line], payments: &[Payment]) -> Row {
    if sees_all(scope, row) {
        return row.clone();
    }
    let is_own = |insurer: &String| scope.organisations().contains(insurer);
    let lines = lines.iter().filter(|line| Some(line.decision) == row.decision && is_own(&line.insurer));
    let own = Own::of(lines);
    let paid = payments.iter().filter(|payment| is_own(&payment.insurer));
    Row {
        outcome: own.outcome.map(str::to_owned),
        rule: own.rule,
        approved_fen: own.approved.fen(),
        paid_fen: paid.map(|payment| payment.amount_fen).sum(),
        insurers: row.insurers.iter().filter(|id| is_own(id)).cloned().collect(),
        ..row.clone()
    }
}
