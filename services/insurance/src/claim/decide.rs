//! Adjudication 核赔 of a claim: under the locks of the limits that it draws on.

use std::collections::BTreeMap;

use chassis::{
    actor::{Actor, another},
    governance::Governance,
    refusal::Refusal,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{money::Fen, state::Named};

use super::{
    edit::{Days, Locked, Told, finish, lock},
    open::insurers,
    paid,
    rules::{Leg, Verb},
    settings::{self, Settings},
    snapshot::{Met, Snapshot, trace_json},
    store::{self, CapKey, Line, NewDraw, NewLine, Payment, Row, day},
};
use crate::{
    adjudication::{Cap, Decision, Outcome, fixed_sum},
    cover, document,
    policy::store::covering::{Covering, covering},
    reasons::{CAP_EXCEEDED, DOCUMENTS_MISSING, PAID_ABOVE_DECISION},
};

/// The limit of fixed benefits for one person and event: the highest of them.
const FIXED_EVENT: &str = "FIXED_EVENT";

/// What was read of governance before a claim is adjudicated.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The working days.
    pub(crate) days: Days,
    /// Where the insured lived on the day of the event, and what it met.
    pub(crate) met: cover::Met,
}

impl Known {
    /// Of a claim as it was read; a claim that isn't there is told by the step.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked.
    pub(crate) async fn of(governance: &Governance, row: Option<&Row>) -> Result<Known, Refusal> {
        let days = governance.calendar().await?;
        let Some(row) = row else { return Ok(Known { days, met: cover::Met::default() }) };
        let subject = row.subject()?;
        let known = cover::known(governance, &row.town, &subject, row.happened()?).await?;
        Ok(Known { days, met: known.met(&subject) })
    }
}

/// What adjudication comes to, with what it rests on.
pub(crate) struct Computed {
    pub(crate) snapshot: Snapshot,
    pub(crate) decision: Decision,
    /// The policies that it meets, in the order of the lines.
    pub(crate) coverings: Vec<Covering>,
    /// Kinds of documents that the peril asks for and that aren't there.
    pub(crate) missing: Vec<String>,
    /// The terms of the town's steps.
    settings: Settings,
    keys: Vec<(usize, CapKey)>,
}

impl Computed {
    /// The first programme of which more is paid than would be decided, with both.
    pub(super) fn below_paid(&self, payments: &[Payment]) -> Option<(String, Fen, Fen)> {
        let lines: Vec<_> = self.coverings.iter().zip(&self.decision.lines).collect();
        paid::above(payments, |programme| {
            let its = lines.iter().find(|(covering, _)| covering.programme == programme);
            its.map_or(Fen::ZERO, |(_, line)| line.approved)
        })
    }
}

/// The limits that a claim draws on under one policy.
fn keys_of(row: &Row, covering: &Covering) -> Vec<CapKey> {
    // of the policy's own year, which its first day names
    let year = i32::from(covering.from.year());
    let Some(benefit) = covering.terms.benefit(&row.peril) else { return Vec::new() };
    let set = Cap::ORDER.into_iter().filter(|cap| cap.limit(benefit, &covering.terms).is_some());
    let key = |cap: Cap| {
        let subject = match cap {
            Cap::BenefitPersonYear | Cap::PersonYear => row.insured.clone(),
            Cap::BenefitHouseholdYear | Cap::HouseholdYear => row.household.clone(),
            Cap::BenefitEvent | Cap::Event => row.event.to_string(),
            Cap::Year => String::new(),
        };
        let own = matches!(cap, Cap::BenefitPersonYear | Cap::BenefitHouseholdYear | Cap::BenefitEvent);
        let peril = if own { row.peril.clone() } else { String::new() };
        CapKey { policy: covering.policy.clone(), cap: cap.name(), peril, subject, year }
    };
    let mut keys: Vec<CapKey> = set.map(key).collect();
    if !benefit.form.is_loss() {
        let subject = format!("{}/{}", row.insured, row.event);
        // an event has its day: whichever policies meet it, they share what is fixed
        keys.push(CapKey { cap: FIXED_EVENT, subject, ..CapKey::default() });
    }
    keys
}

/// Locks the limits of some claims in one order until the end of the transaction, so that whoever locks others of them meanwhile waits and
/// isn't waited for.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock_limits(work: &mut Work, rows: &[&Row]) -> Result<(), Refusal> {
    let Some(first) = rows.first() else { return Ok(()) };
    let mut met: BTreeMap<&str, Vec<Covering>> = BTreeMap::new();
    let mut keys = Vec::new();
    for row in rows {
        if !met.contains_key(row.happened_on.as_str()) {
            met.insert(&row.happened_on, covering(work.sql(), &row.town, row.happened()?).await?);
        }
        let its = met.get(row.happened_on.as_str()).map(Vec::as_slice).unwrap_or_default();
        keys.extend(its.iter().flat_map(|covering| keys_of(row, covering)));
    }
    keys.sort();
    keys.dedup();
    store::lock_caps(work.sql(), &first.town, &keys).await?;
    Ok(())
}

/// Adjudicates a claim as things are now, with the limits locked until the end of the transaction. What the decision in force drew isn't
/// counted: it would be given back.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn compute(work: &mut Work, row: &Row, event: &cover::Met) -> Result<Computed, Refusal> {
    let (happened, reported) = (row.happened()?, day(&row.reported_on)?);
    let coverings = covering(work.sql(), &row.town, happened).await?;
    let stored = document::kinds_stored(work.sql(), &row.town, "CLAIM", row.id).await?;
    let settings = settings::read(work.sql(), &row.town).await?;
    let missing = settings.missing(&row.peril, &stored);
    let grade = row.grade.and_then(|grade| u8::try_from(grade).ok());
    let assessed = (row.assessed_fen.unwrap_or_default(), grade);
    let mut snapshot = Snapshot::new(&row.peril, (happened, reported), assessed, event, missing.is_empty());
    let keys: Vec<(usize, CapKey)> = (0..)
        .zip(&coverings)
        .flat_map(|(n, covering)| keys_of(row, covering).into_iter().map(move |key| (n, key)))
        .collect();
    let wanted: Vec<CapKey> = keys.iter().map(|(_, key)| key.clone()).collect();
    let drawn = store::lock_caps(work.sql(), &row.town, &wanted).await?;
    let own = match row.decision {
        Some(_) => store::own_draws(work.sql(), row).await?,
        None => Vec::new(),
    };
    let mut met: Vec<Met> = coverings.iter().map(meets).collect();
    for ((n, key), used) in keys.iter().zip(drawn) {
        let its = |(policy, cap, _): &&(String, String, i64)| {
            *cap == key.cap && (key.cap == FIXED_EVENT || *policy == key.policy)
        };
        let used = used - own.iter().filter(its).map(|(_, _, fen)| fen).sum::<i64>();
        if key.cap == FIXED_EVENT {
            snapshot.fixed_before_fen = used;
        } else if let Some(met) = met.get_mut(*n) {
            met.used.insert(key.cap.to_owned(), used);
        }
    }
    snapshot.met = met;
    let terms = |policy: &str, version: i32| {
        coverings.iter().find(|one| one.policy == policy && one.version == version).map(|one| &one.terms)
    };
    let decision = snapshot.decide(terms).ok_or_else(|| Refusal::internal("a policy that isn't met"))?;
    Ok(Computed { snapshot, decision, coverings, missing, settings, keys })
}

fn meets(covering: &Covering) -> Met {
    Met {
        programme: covering.programme.clone(),
        policy: covering.policy.clone(),
        version: covering.version,
        insurer: covering.insurer.clone(),
        rank: covering.rank,
        from: covering.from,
        to: covering.to,
        used: BTreeMap::new(),
    }
}

/// The lines of a decision as they are kept.
fn lines(row: &Row, computed: &Computed) -> Vec<NewLine> {
    let mut fixed = computed.snapshot.fixed_before_fen;
    let mut line = |(covering, line): (&Covering, &crate::adjudication::Line)| {
        let benefit = covering.terms.benefit(&row.peril);
        let loss = benefit.is_some_and(|benefit| benefit.form.is_loss());
        let before = if loss || benefit.is_none() { 0 } else { fixed };
        if !loss {
            fixed += line.approved.fen();
        }
        NewLine {
            loss,
            fixed_before_fen: before,
            line: Line {
                decision: 0,
                programme: covering.programme.clone(),
                policy: covering.policy.clone(),
                version: covering.version,
                insurer: covering.insurer.clone(),
                outcome: line.outcome.name().to_owned(),
                rule: line.rule.map(|rule| rule.name().to_owned()),
                claimed_fen: row.claimed_fen,
                seen_fen: line.seen.fen(),
                covered_fen: line.covered.fen(),
                approved_fen: line.approved.fen(),
                trace: trace_json(line.trace.steps()),
            },
        }
    };
    computed.coverings.iter().zip(&computed.decision.lines).map(&mut line).collect()
}

/// What the lines draw.
fn draws(row: &Row, computed: &Computed) -> Vec<NewDraw> {
    let grade = computed.snapshot.grade;
    let draw = |(n, key): &(usize, CapKey)| {
        let (covering, line) = (computed.coverings.get(*n)?, computed.decision.lines.get(*n)?);
        let fixed = covering.terms.benefit(&row.peril).and_then(|benefit| fixed_sum(benefit, grade));
        (line.approved > kernel::money::Fen::ZERO).then(|| NewDraw {
            policy: covering.policy.clone(),
            version: covering.version,
            key: key.clone(),
            amount_fen: line.approved.fen(),
            limit_fen: fixed.filter(|_| key.cap == FIXED_EVENT).map(kernel::money::Fen::fen),
        })
    };
    computed.keys.iter().filter_map(draw).collect()
}

/// Keeps a decision: what the former one drew is given back, and the new one draws.
async fn write(work: &mut Work, row: &mut Row, computed: &Computed, who: &Actor) -> Result<(), Refusal> {
    if row.decision.is_some() {
        store::reverse_draws(work.sql(), row).await?;
    }
    let decision = &computed.decision;
    row.outcome = Some(decision.outcome.name().to_owned());
    row.rule = decision.rule.map(|rule| rule.name().to_owned());
    row.approved_fen = decision.approved.fen();
    row.insurers = insurers(&computed.coverings, &row.peril, row.happened()?);
    (row.adjudicated_by, row.adjudicated_person) = (Some(who.principal.clone()), who.person.clone());
    let facts = serde_json::to_value(&computed.snapshot).map_err(Refusal::internal)?;
    let today = work.call().today();
    let n = store::add_decision(work.sql(), row, &facts, computed.snapshot.documents_complete, (who, today))
        .await?;
    row.decision = Some(n);
    let name = row.name();
    let drawn = store::add_draws(work.sql(), row, n, &draws(row, computed)).await;
    drawn.map_err(|refusal| match refusal.constraint() {
        Some("cap_not_exceeded") => Refusal::new(&CAP_EXCEEDED).with("name", name).because(refusal),
        _ => refusal,
    })?;
    store::add_lines(work.sql(), row, n, &lines(row, computed)).await
}

/// Whoever assessed, however long ago, doesn't decide; after an appeal neither does whoever decided before.
async fn need_others(work: &mut Work, locked: &Locked, who: &Actor) -> Result<(), Refusal> {
    let assessors = store::assessors(work.sql(), &locked.row.town, locked.row.id).await?;
    let assessors: Vec<_> = assessors.iter().map(|who| ("assess", who)).collect();
    another(&locked.name, Verb::Adjudicate.name(), who, &assessors)?;
    if !locked.row.appealed {
        return Ok(());
    }
    let former = store::decisions(work.sql(), &locked.row.town, locked.row.id).await?;
    let former: Vec<Actor> =
        former.iter().map(|decision| Actor::new(&decision.decided_by, &decision.decided_person)).collect();
    let former: Vec<_> = former.iter().map(|who| ("adjudicate", who)).collect();
    another(&locked.name, Verb::Adjudicate.name(), who, &former)
}

/// AdjudicateClaim.
pub(super) struct Adjudicate;

#[tonic::async_trait]
impl VerbGiven for Adjudicate {
    type Given = Known;
    type Request = pb::AdjudicateClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Adjudicate, &who, today)?;
        need_others(work, &locked, &who).await?;
        let computed = compute(work, &locked.row, &known.met).await?;
        if !computed.missing.is_empty() && !request.without_documents {
            return Err(Refusal::new(&DOCUMENTS_MISSING)
                .with("name", &locked.name)
                .with("kinds", computed.missing.join(", ")));
        }
        if let Some((programme, paid, now)) = computed.below_paid(&locked.payments) {
            return Err(Refusal::new(&PAID_ABOVE_DECISION)
                .with("name", &locked.name)
                .with("programme", format!("towns/{}/programmes/{programme}", locked.row.town))
                .with("paid", paid)
                .with("now", now));
        }
        write(work, &mut locked.row, &computed, &who).await?;
        let (row, outcome, settings) = (&mut locked.row, computed.decision.outcome, &computed.settings);
        let appeal = (outcome != Outcome::Approved && !row.appealed).then_some(settings.appeal);
        row.appeal_from = appeal.map(|_| today.to_string());
        (row.appeal_days, row.appeal_ends) = (appeal, None);
        // what is rejected is closed when it can't be appealed any more, and not before
        let closes = appeal.filter(|_| outcome == Outcome::Rejected);
        let next = if row.paid_fen == row.approved_fen { Leg::Close } else { Leg::Publish };
        row.enter(to, today, closes.or(Some(settings.days(next))), &known.days)?;
        let told = Told { verb: Verb::Adjudicate, event: "claim.adjudicated", comment: &request.comment };
        let (town, id) = (locked.row.town.clone(), locked.row.id);
        let record = finish(work, locked, told).await?;
        // an insurer that it meets since then reads its documents too
        document::owner::follow(work.sql(), &town, document::owner::Kind::Claim, id).await?;
        Ok(record)
    }
}
