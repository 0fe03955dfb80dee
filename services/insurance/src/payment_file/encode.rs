//! Payment files on the wire.

use chassis::{
    ambient::{Ambient, Language},
    amount::to_money,
    fields::number,
    refusal::Refusal,
    wire,
};
use contracts::linli::insurance::v1 as pb;
use kernel::money::Fen;

use super::store::{File, Line};
use crate::claim::store::day;

/// A line, in the language of who asks.
fn line(town: &str, line: &Line) -> Result<pb::PaymentLine, Refusal> {
    let chinese = Ambient::current().language == Language::Chinese;
    let result = pb::PaymentLineResult::from_str_name(&format!("PAYMENT_LINE_RESULT_{}", line.result));
    Ok(pb::PaymentLine {
        row: line.row,
        claim: line.claim.map(|id| format!("towns/{town}/claims/{id}")).unwrap_or_default(),
        claim_number: line.claim_number.clone(),
        programme: format!("towns/{town}/programmes/{}", line.programme),
        amount: Some(to_money(Fen::of(line.amount_fen))),
        pay_date: Some(wire::to_date(day(&line.paid_on)?)),
        payment_reference: line.reference.clone(),
        result: result.unwrap_or_default().into(),
        reason: line.reason.clone(),
        explanation: if chinese { line.said_zh.clone() } else { line.said_en.clone() },
    })
}

/// A file with these lines.
pub(super) fn file(file: &File, lines: &[Line]) -> Result<pb::PaymentFile, Refusal> {
    let town = &file.town;
    Ok(pb::PaymentFile {
        name: format!("towns/{town}/paymentFiles/{}", file.id),
        insurer: format!("towns/{town}/organisations/{}", file.insurer),
        sha256: hex::encode(&file.sha256),
        receive_date: Some(wire::to_date(day(&file.received_on)?)),
        matched: number(file.matched),
        known: number(file.known),
        refused: number(file.refused),
        amount: Some(to_money(Fen::of(file.matched_fen))),
        lines: lines.iter().map(|one| line(town, one)).collect::<Result<_, _>>()?,
        receiver: file.received_by.clone(),
        create_time: Some(wire::to_timestamp(file.created)),
    })
}
