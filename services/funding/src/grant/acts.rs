//! Proposing a grant, and what becomes of it.

use chassis::{
    fields,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use kernel::{
    money::Fen,
    name::{ProjectGrantName, ProjectName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    rules::{Source, State, TABLE, Verb as Do},
    store::{self, Grant, Proposal, Step},
};
use crate::{
    actor::{Actor, another},
    comment,
    ledger::{
        rules::{Earmark, EntryKind, For, Key},
        store as ledger,
    },
    money,
    open_expenses::need_none,
    reasons::{ACCOUNT_NOT_FOUND, COMMITTEE_NOT_FOUND, GRANT_OPEN, NOT_THE_APPLICANT, OPEN_HOLDS},
};

fn change(grant: &Grant, version: i64, verb: Do, to: State, comment: &str) -> Result<Change, Refusal> {
    let (event, from) = match verb {
        Do::Create => ("projectGrant.proposed", ""),
        Do::Grant => ("projectGrant.granted", grant.state()?.name()),
        Do::Reject => ("projectGrant.rejected", grant.state()?.name()),
        Do::Withdraw => ("projectGrant.withdrawn", grant.state()?.name()),
        Do::Close => ("projectGrant.closed", grant.state()?.name()),
    };
    Ok(Change {
        resource: grant.name(),
        version,
        verb: verb.name(),
        from_state: from,
        to_state: to.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "project_grant": grant.name(), "project": format!("towns/{}/projects/{}", grant.town, grant.project),
            "committee": format!("towns/{}/committees/{}", grant.town, grant.committee), "source": grant.source,
            "amount_fen": grant.amount().fen(), "state": to.name(),
        }),
    })
}

/// Reads a proposal.
fn read(town: &TownName, given: &pb::ProjectGrant) -> Result<Proposal, Refusal> {
    let mut faults = Faults::default();
    let project = "project_grant.project";
    let project = faults.take(fields::in_town(project, &given.project, town.town(), ProjectName::town));
    let committee = "project_grant.committee";
    let committee = faults.take(fields::committee_id(committee, town.town(), &given.committee));
    let source = match pb::ProjectGrantSource::try_from(given.source).unwrap_or_default() {
        pb::ProjectGrantSource::ServiceFund => Some(Source::ServiceFund),
        pb::ProjectGrantSource::ProjectPool => Some(Source::ProjectPool),
        pb::ProjectGrantSource::Unspecified => {
            faults.push(FieldFault::new("project_grant.source", "REQUIRED", "必填", "required"));
            None
        }
    };
    let amount = faults.take(money::amount("project_grant.amount", given.amount.as_ref()));
    let all = project.zip(committee).zip(source).zip(amount);
    let (((project, committee), source), amount) = money::finish(faults, all)?;
    Ok(Proposal {
        project: project.project().to_owned(),
        committee,
        source,
        fiscal_year: given.fiscal_year,
        amount,
        purpose: given.purpose.trim().to_owned(),
        evidence: given.evidence.trim().to_owned(),
    })
}

/// Whether governance has the committee that is named; `true` for a name that the reader of the request will refuse.
pub(super) struct Known(pub(super) bool);

/// CreateProjectGrant.
pub(super) struct Create;

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Known;
    type Request = pb::CreateProjectGrantRequest;
    type Answer = pb::ProjectGrant;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::ProjectGrant>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::ProjectGrant::default();
        let proposal = read(&town, request.project_grant.as_ref().unwrap_or(&default))?;
        if !scope.is_town() && !scope.ids().1.contains(&proposal.committee) {
            return Err(call.denied());
        }
        let committee = format!("{town}/committees/{}", proposal.committee);
        if !given.0 {
            return Err(Refusal::new(&COMMITTEE_NOT_FOUND).with("committee", committee));
        }
        ledger::year::need_open(work.sql(), town.town(), proposal.fiscal_year).await?;
        let id = Uuid::now_v7();
        let actor = Actor::of(&call);
        if !store::create(work.sql(), &town, id, &proposal, (&actor, call.today())).await? {
            let project = format!("{town}/projects/{}", proposal.project);
            return Err(Refusal::new(&GRANT_OPEN)
                .with("project", project)
                .with("source", proposal.source.name()));
        }
        let name = ProjectGrantName::new(town.town(), id.to_string()).map_err(Refusal::internal)?;
        record(work, &name, None, (1, Do::Create, State::Proposed), "").await
    }
}

async fn record(
    work: &mut Work,
    name: &ProjectGrantName,
    before: Option<&Grant>,
    (version, verb, to): (i64, Do, State),
    comment: &str,
) -> Result<Record<pb::ProjectGrant>, Refusal> {
    let now = store::get(work.sql(), name, &chassis::identity::Scope::Town, false).await?;
    let now = now.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", verb.name()),
        changes: vec![change(before.unwrap_or(&now), version, verb, to, comment)?],
        answer: super::view(work.sql(), &now).await?,
    })
}

/// A grant that is locked, and what it will be.
struct Locked {
    name: ProjectGrantName,
    grant: Grant,
    to: State,
}

async fn lock(work: &mut Work, name: &str, etag: &str, verb: Do) -> Result<Locked, Refusal> {
    let name: ProjectGrantName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let grant = store::get(work.sql(), &name, &scope, true).await?;
    let grant = grant.ok_or_else(|| call.missing(&scope, "linli.dev/ProjectGrant", name.to_string()))?;
    check_etag(&grant.name(), etag, grant.version)?;
    let to = transition(&TABLE, &grant.name(), grant.state()?, verb)?;
    Ok(Locked { name, grant, to })
}

async fn done(
    work: &mut Work,
    locked: &Locked,
    verb: Do,
    (reason, comment): (&str, &str),
    returned: Fen,
) -> Result<Record<pb::ProjectGrant>, Refusal> {
    let call = work.call().clone();
    let actor = Actor::of(&call);
    let step = Step { to: locked.to, actor: &actor, day: call.today(), reason, returned };
    let version = store::step(work.sql(), &locked.grant, step).await?;
    record(work, &locked.name, Some(&locked.grant), (version, verb, locked.to), comment).await
}

/// Refuses to grant to who proposed.
pub(super) fn need_another(grant: &Grant, who: &Actor) -> Result<(), Refusal> {
    another(&grant.name(), Do::Grant.name(), who, &[("propose", &grant.proposed())])
}

/// Refuses to withdraw to everybody but who proposed.
pub(super) fn need_proposer(grant: &Grant, who: &Actor) -> Result<(), Refusal> {
    if grant.proposed().is(who) {
        return Ok(());
    }
    Err(Refusal::new(&NOT_THE_APPLICANT).with("name", grant.name()).with("verb", Do::Withdraw.name()))
}

/// Books money of a grant from one account to another.
async fn book(
    work: &mut Work,
    grant: &Grant,
    (kind, step, description): (EntryKind, &str, &str),
    (from, to): (&Key, &Key),
    amount: Fen,
) -> Result<(), Refusal> {
    let what = For {
        kind,
        key: &format!("grant/{}/{step}", grant.id),
        fiscal_year: from.fiscal_year,
        booked_on: work.call().today(),
        subject: &grant.name(),
        description,
    };
    ledger::book(work, &grant.town, (what, &grant.evidence), (from, to), amount).await
}

/// GrantProjectGrant.
pub(super) struct Give;

#[tonic::async_trait]
impl Verb for Give {
    type Request = pb::GrantProjectGrantRequest;
    type Answer = pb::ProjectGrant;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ProjectGrant>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Grant).await?;
        let grant = &locked.grant;
        need_another(grant, &Actor::of(work.call()))?;
        ledger::year::need_open(work.sql(), &grant.town, grant.fiscal_year).await?;
        let source = grant.source()?;
        let from = source.account(grant.fiscal_year, &grant.committee);
        let account = ledger::find(work.sql(), &grant.town, &from).await?;
        let account = account.ok_or_else(|| {
            Refusal::new(&ACCOUNT_NOT_FOUND)
                .with("committee", format!("towns/{}/committees/{}", grant.town, grant.committee))
                .with("fund", source.fund().name())
                .with("year", grant.fiscal_year)
        })?;
        account.need(work, &grant.town, grant.amount()).await?;
        let what = (EntryKind::Grant, "granted", "自治项目拨款");
        book(work, grant, what, (&from, &grant.account()?), grant.amount()).await?;
        done(work, &locked, Do::Grant, ("", &request.comment), Fen::ZERO).await
    }
}

/// RejectProjectGrant.
pub(super) struct Reject;

#[tonic::async_trait]
impl Verb for Reject {
    type Request = pb::RejectProjectGrantRequest;
    type Answer = pb::ProjectGrant;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ProjectGrant>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Reject).await?;
        let reason = comment::reason(&request.comment, &locked.grant.name(), Do::Reject.name())?;
        done(work, &locked, Do::Reject, (reason, &request.comment), Fen::ZERO).await
    }
}

/// WithdrawProjectGrant.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl Verb for Withdraw {
    type Request = pb::WithdrawProjectGrantRequest;
    type Answer = pb::ProjectGrant;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ProjectGrant>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Withdraw).await?;
        need_proposer(&locked.grant, &Actor::of(work.call()))?;
        done(work, &locked, Do::Withdraw, ("", &request.comment), Fen::ZERO).await
    }
}

/// CloseProjectGrant.
pub(super) struct Close;

#[tonic::async_trait]
impl Verb for Close {
    type Request = pb::CloseProjectGrantRequest;
    type Answer = pb::ProjectGrant;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ProjectGrant>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Close).await?;
        let (grant, today) = (&locked.grant, work.call().today());
        let bound = Earmark::Project(grant.project.clone()).to_string();
        need_none(work.sql(), &grant.town, (&grant.committee, &bound), &grant.name()).await?;
        for account in ledger::since(work.sql(), &grant.town, &grant.account()?).await? {
            ledger::expire_due(work.sql(), &grant.town, account.id, today).await?;
        }
        let mut returned = Vec::new();
        for account in ledger::since(work.sql(), &grant.town, &grant.account()?).await? {
            if account.held > Fen::ZERO {
                return Err(Refusal::new(&OPEN_HOLDS)
                    .with("name", &locked.name)
                    .with("amount", account.held));
            }
            if account.balance > Fen::ZERO {
                let year = account.key.fiscal_year;
                let back = grant.source()?.account(year, &grant.committee);
                let step = format!("returned/{year}");
                let what = (EntryKind::Return, step.as_str(), "自治项目结余收回");
                book(work, grant, what, (&account.key, &back), account.balance).await?;
                returned.push(account.balance);
            }
        }
        let returned = Fen::sum(returned).map_err(Refusal::internal)?;
        done(work, &locked, Do::Close, ("", &request.comment), returned).await
    }
}
