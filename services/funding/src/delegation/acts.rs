//! Offering a task, and what becomes of a committee's share of it.

use chassis::{
    call::Call,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, PERMISSION_DENIED, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use kernel::{
    money::Fen,
    name::{DelegationName, DelegationShareName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    given::Given,
    offer::{self, New},
    rules::{State, TABLE, Verb as Do, is_funded},
    store::{self, Share, Step},
};
use crate::{
    actor::{Actor, another},
    comment,
    ledger::{
        rules::{EntryKind, For, Key},
        store as ledger,
    },
    money,
    open_expenses::need_none,
    reasons::{COMMITTEE_NOT_FOUND, DELEGATION_FUNDED, DELEGATION_UNFUNDED, OPEN_HOLDS},
};

/// Who acts for every department of a town holds this.
const ADMINISTER: &str = "funding.delegations.administer";

/// The change that tells of a share.
fn change(share: &Share, version: i64, verb: Do, to: State, comment: &str) -> Result<Change, Refusal> {
    let (event, from) = match verb {
        Do::Create => ("delegationShare.offered", ""),
        Do::Fund => ("delegationShare.funded", share.state()?.name()),
        Do::Accept => ("delegationShare.accepted", share.state()?.name()),
        Do::Decline => ("delegationShare.declined", share.state()?.name()),
        Do::Withdraw => ("delegationShare.withdrawn", share.state()?.name()),
        Do::Settle => ("delegationShare.settled", share.state()?.name()),
    };
    let committee = format!("towns/{}/committees/{}", share.town, share.committee);
    Ok(Change {
        resource: share.name(),
        version,
        verb: verb.name(),
        from_state: from,
        to_state: to.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "delegation_share": share.name(), "delegation": share.delegation_name(), "committee": committee,
            "amount_fen": share.amount().fen(), "state": to.name(),
        }),
    })
}

/// CreateDelegation.
pub(super) struct Create;

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Given;
    type Request = pb::CreateDelegationRequest;
    type Answer = pb::Delegation;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::Delegation>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let New { name, offer, shares } = offer::read(&town, request, given, call.today())?;
        if let Some(unknown) = given.unknown.iter().min() {
            return Err(Refusal::new(&COMMITTEE_NOT_FOUND).with("committee", unknown));
        }
        ledger::year::need_open(work.sql(), town.town(), offer.fiscal_year).await?;
        let taken = Refusal::new(&ALREADY_EXISTS).with("name", &name);
        if !store::create(work.sql(), &name, &offer, &Actor::of(&call)).await? {
            return Err(taken);
        }
        store::create_shares(work.sql(), &name, &shares).await?;
        let total = Fen::sum(shares.iter().map(|(_, _, amount)| *amount));
        let total = total.map_err(|_| offer::too_much())?;
        if is_funded(total) {
            let what = Funding {
                delegation: name.delegation(),
                key: &format!("delegation/{}/funded", name.delegation()),
                subject: &name.to_string(),
                year: offer.fiscal_year,
                amount: total,
                evidence: &offer.evidence,
            };
            fund(work, town.town(), what).await?;
        }
        let scope = chassis::identity::Scope::Town;
        let mut changes = vec![Change {
            resource: name.to_string(),
            version: 1,
            verb: "create",
            from_state: "",
            to_state: "",
            comment: String::new(),
            event: "delegation.created",
            data: json!({"delegation": name.to_string(), "amount_fen": total.fen(), "fiscal_year": offer.fiscal_year}),
        }];
        for share in store::shares_of(work.sql(), &name, &scope).await? {
            changes.push(change(&share, 1, Do::Create, State::Offered, "")?);
        }
        Ok(Record {
            town: town.town().to_owned(),
            resource: name.to_string(),
            summary: format!("create {name}"),
            changes,
            answer: super::view(work.sql(), &name, &scope, call.today()).await?,
        })
    }
}

/// Money that a department gives.
struct Funding<'a> {
    delegation: &'a str,
    key: &'a str,
    subject: &'a str,
    year: i32,
    amount: Fen,
    evidence: &'a str,
}

/// Books what a department gives for a task.
async fn fund(work: &mut Work, town: &str, what: Funding<'_>) -> Result<(), Refusal> {
    let (from, to) = (Key::department(what.year, what.delegation), Key::task(what.year, what.delegation));
    let booked = For {
        kind: EntryKind::Delegation,
        key: what.key,
        fiscal_year: what.year,
        booked_on: work.call().today(),
        subject: what.subject,
        description: "费随事转：部门拨入",
    };
    ledger::book(work, town, (booked, what.evidence), (&from, &to), what.amount).await
}

/// Locks a share within the caller's areas, checks its etag and its state; what it will be.
async fn lock(work: &mut Work, name: &str, etag: &str, verb: Do) -> Result<(Share, State), Refusal> {
    let name: DelegationShareName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let share = store::share(work.sql(), &name, &scope, true).await?;
    let share = share.ok_or_else(|| call.missing(&scope, "linli.dev/DelegationShare", name.to_string()))?;
    need_own(&call, &share, verb)?;
    check_etag(&share.name(), etag, share.version)?;
    let to = transition(&TABLE, &share.name(), share.state()?, verb)?;
    Ok((share, to))
}

/// Books money of a share from one account to another.
async fn book(
    work: &mut Work,
    share: &Share,
    what: (EntryKind, &str, &str),
    (from, to): (Key, Key),
    amount: Fen,
) -> Result<(), Refusal> {
    let (kind, step, description) = what;
    let booked = For {
        kind,
        key: &format!("delegation/{}/{}/{step}", share.delegation, share.committee),
        fiscal_year: from.fiscal_year,
        booked_on: work.call().today(),
        subject: &share.name(),
        description,
    };
    ledger::book(work, &share.town, (booked, ""), (&from, &to), amount).await
}

/// Writes the step and yields its record.
async fn done(
    work: &mut Work,
    share: &Share,
    (verb, to): (Do, State),
    (reason, comment): (&str, &str),
) -> Result<Record<pb::DelegationShare>, Refusal> {
    let call = work.call().clone();
    let step = Step { to, actor: &Actor::of(&call), day: call.today(), reason };
    let version = store::step(work.sql(), share, step).await?;
    record(work, share, version, (verb, to), comment).await
}

async fn record(
    work: &mut Work,
    share: &Share,
    version: i64,
    (verb, to): (Do, State),
    comment: &str,
) -> Result<Record<pb::DelegationShare>, Refusal> {
    let today = work.call().today();
    let name = DelegationShareName::new(&share.town, share.id.to_string()).map_err(Refusal::internal)?;
    let now = store::share(work.sql(), &name, &chassis::identity::Scope::Town, false).await?;
    let now = now.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let mut told = change(share, version, verb, to, comment)?;
    if let Some(amount) = told.data.get_mut("amount_fen") {
        *amount = json!(now.amount().fen());
    }
    Ok(Record {
        town: share.town.clone(),
        resource: share.name(),
        summary: format!("{} {}", verb.name(), share.name()),
        changes: vec![told],
        answer: super::view_share(work.sql(), &now, today).await?,
    })
}

/// Refuses what a department does with a task to whoever didn't offer it: only the town's officers act for another one.
pub(super) fn need_own(call: &Call, share: &Share, verb: Do) -> Result<(), Refusal> {
    let own = match verb {
        Do::Fund | Do::Withdraw | Do::Settle => Actor::of(call).is(&share.offered()),
        // a new task is his who offers it; an answer is the committee's, within its area
        Do::Create | Do::Accept | Do::Decline => true,
    };
    if own || call.may(ADMINISTER, &share.town).is_town() {
        return Ok(());
    }
    Err(Refusal::new(&PERMISSION_DENIED).with("permission", ADMINISTER))
}

/// Refuses to fund what has its money.
pub(super) fn need_unfunded(share: &Share) -> Result<(), Refusal> {
    if is_funded(share.amount()) {
        return Err(Refusal::new(&DELEGATION_FUNDED)
            .with("name", share.name())
            .with("amount", share.amount()));
    }
    Ok(())
}

/// Refuses to accept what comes without its money.
pub(super) fn need_funded(share: &Share) -> Result<(), Refusal> {
    if !is_funded(share.amount()) {
        return Err(Refusal::new(&DELEGATION_UNFUNDED).with("name", share.name()));
    }
    Ok(())
}

/// Refuses to accept to who offered: the committee takes a task on, nobody takes on his own.
pub(super) fn need_another_than_offered(share: &Share, who: &Actor) -> Result<(), Refusal> {
    another(&share.name(), Do::Accept.name(), who, &[(Do::Create.name(), &share.offered())])
}

/// Refuses to settle to who accepted.
pub(super) fn need_another(share: &Share, who: &Actor) -> Result<(), Refusal> {
    another(&share.name(), Do::Settle.name(), who, &[(Do::Accept.name(), &share.accepted())])
}

/// FundDelegationShare.
pub(super) struct Fund;

#[tonic::async_trait]
impl Verb for Fund {
    type Request = pb::FundDelegationShareRequest;
    type Answer = pb::DelegationShare;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DelegationShare>, Refusal> {
        let mut faults = Faults::default();
        let amount = faults.take(money::amount("amount", request.amount.as_ref()));
        let evidence = faults.take(offer::evidence("evidence", &request.evidence));
        let (amount, evidence) = money::finish(faults, amount.zip(evidence))?;
        let (share, to) = lock(work, &request.name, &request.etag, Do::Fund).await?;
        need_unfunded(&share)?;
        let year = store::task_year(work.sql(), &share).await?;
        ledger::year::need_open(work.sql(), &share.town, year).await?;
        let what = Funding {
            delegation: &share.delegation,
            key: &format!("delegation/{}/{}/funded", share.delegation, share.committee),
            subject: &share.name(),
            year,
            amount,
            evidence: &evidence,
        };
        fund(work, &share.town, what).await?;
        let version = store::fund(work.sql(), &share, amount, &evidence).await?;
        record(work, &share, version, (Do::Fund, to), &request.comment).await
    }
}

/// AcceptDelegationShare.
pub(super) struct Accept;

#[tonic::async_trait]
impl Verb for Accept {
    type Request = pb::AcceptDelegationShareRequest;
    type Answer = pb::DelegationShare;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DelegationShare>, Refusal> {
        let (share, to) = lock(work, &request.name, &request.etag, Do::Accept).await?;
        need_another_than_offered(&share, &Actor::of(work.call()))?;
        need_funded(&share)?;
        let year = store::task_year(work.sql(), &share).await?;
        let fund = crate::ledger::rules::Fund::Delegated;
        let committee = Key::committee(fund, year, &share.committee, Some(share.earmark()));
        let ways = (Key::task(year, &share.delegation), committee);
        let what = (EntryKind::Delegation, "accepted", "费随事转：居委会接收");
        book(work, &share, what, ways, share.amount()).await?;
        done(work, &share, (Do::Accept, to), ("", &request.comment)).await
    }
}

/// Gives the money of a share that nobody took on back to the department.
async fn give_back(work: &mut Work, share: &Share, step: &str) -> Result<(), Refusal> {
    if !is_funded(share.amount()) {
        return Ok(());
    }
    let year = store::task_year(work.sql(), share).await?;
    let ways = (Key::task(year, &share.delegation), Key::department(year, &share.delegation));
    book(work, share, (EntryKind::Return, step, "费随事转：退回部门"), ways, share.amount()).await
}

/// DeclineDelegationShare.
pub(super) struct Decline;

#[tonic::async_trait]
impl Verb for Decline {
    type Request = pb::DeclineDelegationShareRequest;
    type Answer = pb::DelegationShare;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DelegationShare>, Refusal> {
        let (share, to) = lock(work, &request.name, &request.etag, Do::Decline).await?;
        comment::reason(&request.comment, &share.name(), Do::Decline.name())?;
        give_back(work, &share, "declined").await?;
        done(work, &share, (Do::Decline, to), (request.comment.trim(), &request.comment)).await
    }
}

/// WithdrawDelegationShare.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl Verb for Withdraw {
    type Request = pb::WithdrawDelegationShareRequest;
    type Answer = pb::DelegationShare;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DelegationShare>, Refusal> {
        let (share, to) = lock(work, &request.name, &request.etag, Do::Withdraw).await?;
        comment::reason(&request.comment, &share.name(), Do::Withdraw.name())?;
        give_back(work, &share, "withdrawn").await?;
        done(work, &share, (Do::Withdraw, to), (request.comment.trim(), &request.comment)).await
    }
}

/// SettleDelegationShare.
pub(super) struct Settle;

#[tonic::async_trait]
impl Verb for Settle {
    type Request = pb::SettleDelegationShareRequest;
    type Answer = pb::DelegationShare;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DelegationShare>, Refusal> {
        let (share, to) = lock(work, &request.name, &request.etag, Do::Settle).await?;
        let name = share.name();
        need_another(&share, &Actor::of(work.call()))?;
        let today = work.call().today();
        let bound = share.earmark().to_string();
        need_none(work.sql(), &share.town, (&share.committee, &bound), &name).await?;
        for account in ledger::since(work.sql(), &share.town, &share.key()).await? {
            ledger::expire_due(work.sql(), &share.town, account.id, today).await?;
        }
        for account in ledger::since(work.sql(), &share.town, &share.key()).await? {
            if account.held > Fen::ZERO {
                return Err(Refusal::new(&OPEN_HOLDS).with("name", &name).with("amount", account.held));
            }
            if account.balance > Fen::ZERO {
                let year = account.key.fiscal_year;
                let step = format!("settled/{year}");
                let ways = (account.key.clone(), Key::department(year, &share.delegation));
                let what = (EntryKind::Return, step.as_str(), "费随事转：结余退回部门");
                book(work, &share, what, ways, account.balance).await?;
            }
        }
        done(work, &share, (Do::Settle, to), ("", &request.comment)).await
    }
}

/// The id of a delegation that is created: the caller's, or one of the server's.
pub(super) fn name_of(town: &TownName, id: &str) -> Result<DelegationName, FieldFault> {
    let id = if id.is_empty() { Uuid::now_v7().to_string() } else { id.to_owned() };
    DelegationName::new(town.town(), id)
        .map_err(|error| FieldFault::new("delegation_id", "FORMAT", "编号格式不符", error.to_string()))
}
