//! Reading a payment file: each line is recorded as a payment of its own, or says why not.

use std::collections::{BTreeMap, HashMap};

use chassis::{
    actor::Actor,
    call::Call,
    fields,
    refusal::{NOT_FOUND, Refusal},
    wire,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::name::{OrganisationName, TownName};
use sha2::{Digest, Sha256};
use tonic::Code;
use uuid::Uuid;

use super::{encode, file, store};
use crate::{
    claim::{
        edit::{Days, Locked, Told, save},
        lock_limits,
        pay::pay,
        rules::{State, Verb},
        store::{Row, by_number, known_reference},
    },
    cover,
    reasons::PAYMENT_FILE_KNOWN,
};

/// What was read before the unit of work.
#[derive(Debug)]
pub(super) struct Known {
    /// The working days.
    pub(super) days: Days,
    /// Where the insured of each claim lived on the day of its event, and what it met.
    pub(super) met: HashMap<Uuid, cover::Met>,
    /// The lines of the file.
    pub(super) lines: Vec<file::Line>,
}

/// CreatePaymentFile.
pub(super) struct Create;

/// The numbers of the claims that lines name.
pub(super) fn numbers(lines: &[file::Line]) -> Vec<String> {
    let mut numbers: Vec<String> = lines.iter().map(|line| line.claim_number.clone()).collect();
    numbers.sort();
    numbers.dedup();
    numbers
}

/// What a refusal of a line says; what isn't the line's fault goes on.
fn refused(refusal: Refusal) -> Result<(String, String, String), Refusal> {
    match refusal.reason().code {
        Code::Internal | Code::Unavailable | Code::Aborted => Err(refusal),
        _ => {
            let (zh, en) = refusal.texts();
            Ok((refusal.reason().name.to_owned(), zh, en))
        }
    }
}

/// The insurer whose file it is: the caller's own, unless he acts for the town.
fn insurer(call: &Call, town: &TownName, given: &str) -> Result<String, Refusal> {
    let name =
        fields::in_town("insurer", given, town.town(), OrganisationName::town).map_err(Refusal::one)?;
    let scope = call.scope(town.town())?;
    let own = scope.organisations().iter().any(|id| id == name.organisation());
    if scope.is_town() || own { Ok(name.organisation().to_owned()) } else { Err(call.denied()) }
}

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Known;
    type Request = pb::CreatePaymentFileRequest;
    type Answer = pb::PaymentFile;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::PaymentFile>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let insurer = insurer(&call, &town, &request.insurer)?;
        let sha256: Vec<u8> = Sha256::digest(&request.content).to_vec();
        if let Some(former) = store::known(work.sql(), town.town(), &insurer, &sha256).await? {
            let name = format!("{town}/paymentFiles/{former}");
            return Err(Refusal::new(&PAYMENT_FILE_KNOWN).with("name", name));
        }
        let (id, who) = (Uuid::now_v7(), Actor::of(&call));
        store::create(work.sql(), (town.town(), id, &insurer), &sha256, (&who, call.today())).await?;
        let scope = call.scope(town.town())?;
        let rows = by_number(work.sql(), town.town(), &scope, &numbers(&known.lines), true).await?;
        let mut claims: BTreeMap<String, (Locked, bool)> = BTreeMap::new();
        for row in rows {
            claims.insert(row.number.clone(), (Locked::of(work, row).await?, false));
        }
        let due = claims.values().filter(|(locked, _)| locked.facts.state == State::Notice);
        let due: Vec<&Row> = due.map(|(locked, _)| &locked.row).collect();
        lock_limits(work, &due).await?;
        let mut kept = Vec::new();
        for line in &known.lines {
            kept.push(one(work, known, (&insurer, id), claims.get_mut(&line.claim_number), line).await?);
        }
        store::add_lines(work.sql(), town.town(), id, &kept).await?;
        let mut changes = Vec::new();
        for (mut locked, paid) in claims.into_values() {
            if paid {
                let told = Told { verb: Verb::Pay, event: "claim.paid", comment: "" };
                changes.push(save(work, &mut locked, told).await?);
            }
        }
        let file = store::get(work.sql(), town.town(), id, &scope).await?;
        let file = file.ok_or_else(|| Refusal::internal("a payment file vanished"))?;
        let resource = format!("{town}/paymentFiles/{id}");
        Ok(Record {
            town: town.town().to_owned(),
            summary: format!("read {resource}: {} matched, {} refused", file.matched, file.refused),
            resource,
            changes,
            answer: encode::file(&file, &kept)?,
        })
    }
}

/// One line: recorded, known, or refused with its reason. Whatever is refused has written nothing.
async fn one(
    work: &mut Work,
    known: &Known,
    (insurer, file): (&str, Uuid),
    claim: Option<&mut (Locked, bool)>,
    line: &file::Line,
) -> Result<store::Line, Refusal> {
    let mut kept = store::Line {
        row: i32::try_from(line.row).unwrap_or(i32::MAX),
        claim: None,
        claim_number: line.claim_number.clone(),
        programme: line.paid.programme.clone(),
        amount_fen: line.paid.amount.fen(),
        paid_on: line.paid.on.to_string(),
        reference: line.paid.reference.clone(),
        result: "MATCHED".to_owned(),
        reason: String::new(),
        said_zh: String::new(),
        said_en: String::new(),
    };
    let Some((locked, paid)) = claim else {
        let none = Refusal::new(&NOT_FOUND).with("name", &line.claim_number);
        (kept.reason, kept.said_zh, kept.said_en) = refused(none)?;
        "REFUSED".clone_into(&mut kept.result);
        return Ok(kept);
    };
    kept.claim = Some(locked.row.id);
    let town = locked.row.town.clone();
    let before = known_reference(work.sql(), &town, insurer, &line.paid.reference).await?;
    let same = (locked.row.id, line.paid.programme.clone(), line.paid.amount.fen());
    if before == Some(same) {
        "KNOWN".clone_into(&mut kept.result);
        return Ok(kept);
    }
    let event = known.met.get(&locked.row.id).cloned().unwrap_or_default();
    match pay(work, locked, &line.paid, &event, &known.days, Some((insurer, file))).await {
        Ok(()) => *paid = true,
        Err(refusal) => {
            (kept.reason, kept.said_zh, kept.said_en) = refused(refusal)?;
            "REFUSED".clone_into(&mut kept.result);
        }
    }
    Ok(kept)
}
