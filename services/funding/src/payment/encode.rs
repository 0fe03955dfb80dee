//! Payment batches on the wire.

use chassis::{fields::number, payee::Payee, refusal::Refusal, vault::Vault, wire};
use contracts::linli::funding::v1 as pb;
use kernel::{etag::Etag, money::Fen};

use super::store::{Batch, Line};
use crate::{expense::store::day, money::to_money};

/// A batch without its lines.
pub(crate) fn batch(batch: &Batch) -> Result<pb::PaymentBatch, Refusal> {
    Ok(pb::PaymentBatch {
        name: batch.name(),
        number: batch.number.clone(),
        state: pb::PaymentBatchState::from_str_name(&format!("PAYMENT_BATCH_STATE_{}", batch.state))
            .unwrap_or_default()
            .into(),
        line_count: number(batch.lines),
        total: Some(to_money(Fen::of(batch.total_fen))),
        create_date: Some(wire::to_date(day(&batch.made_on)?)),
        export_date: batch.exported_on.as_deref().map(day).transpose()?.map(wire::to_date),
        export_sha256: batch.file_sha256.as_ref().map(hex::encode).unwrap_or_default(),
        pending_count: number(batch.pending),
        paid_count: number(batch.paid),
        failed_count: number(batch.failed),
        payer: batch.made_by.clone(),
        etag: Etag::of(batch.version).to_string(),
        create_time: Some(wire::to_timestamp(batch.created)),
        update_time: Some(wire::to_timestamp(batch.updated)),
        ..Default::default()
    })
}

/// Who is paid by a line, in clear.
pub(crate) fn payee(vault: &Vault, town: &str, line: &Line) -> Result<Payee, Refusal> {
    Payee::open(vault, &expense(town, line), &line.payee_sealed)
}

/// The name of the expense of a line.
pub(crate) fn expense(town: &str, line: &Line) -> String {
    format!("towns/{town}/expenses/{}", line.expense)
}

/// A line, its payee masked.
pub(crate) fn line(vault: &Vault, town: &str, line: &Line) -> Result<pb::PaymentLine, Refusal> {
    Ok(pb::PaymentLine {
        line: line.n,
        expense: expense(town, line),
        expense_number: line.number.clone(),
        amount: Some(to_money(Fen::of(line.amount_fen))),
        payee: Some(payee(vault, town, line)?.masked()),
        state: pb::PaymentLineState::from_str_name(&format!("PAYMENT_LINE_STATE_{}", line.state))
            .unwrap_or_default()
            .into(),
        bank_reference: line.bank_reference.clone(),
        failure: line.failure.clone(),
    })
}
