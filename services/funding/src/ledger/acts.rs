//! Holds made, posted and given up by people; entries taken back.

use chassis::{
    fields::in_town,
    identity::Scope,
    refusal::{CONFLICT, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use kernel::{
    money::Fen,
    name::{AccountName, EntryName, HoldName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    rules::{AccountKind, Earmark, Entry, EntryKind, For, HOLDS, HoldState, HoldVerb},
    store::{self, Account, Held, NewHold, Outcome, views},
};
use crate::{
    actor::{Actor, another},
    money,
    reasons::{
        EARMARK_CROSSED, ENTRY_WRITTEN, HOLD_OF_ANOTHER, HOLD_SMALLER, NOT_REVERSED_HERE, REVERSED_ALREADY,
    },
};

/// The id of a name whose last part is a UUID; whatever isn't one names nothing.
pub(crate) fn uuid(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok()
}

/// The account of a request, within the caller's areas.
async fn account(work: &mut Work, name: &AccountName) -> Result<Account, Refusal> {
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let missing = || call.missing(&scope, "linli.dev/Account", name.to_string());
    let id = uuid(name.account()).ok_or_else(missing)?;
    let found = store::by_id(work.sql(), name.town(), id).await?.ok_or_else(missing)?;
    let sees = found.key.committee.as_ref().is_some_and(|committee| scope.ids().1.contains(committee));
    if scope.is_town() || sees { Ok(found) } else { Err(missing()) }
}

fn change(name: &str, version: i64, verb: HoldVerb, states: [&'static str; 2], comment: &str) -> Change {
    let event = match verb {
        HoldVerb::Create => "hold.created",
        HoldVerb::Post => "hold.posted",
        HoldVerb::Void => "hold.voided",
        HoldVerb::Expire => "hold.expired",
    };
    Change {
        resource: name.to_owned(),
        version,
        verb: verb.name(),
        from_state: states[0],
        to_state: states[1],
        comment: comment.to_owned(),
        event,
        data: json!({"hold": name}),
    }
}

async fn record(work: &mut Work, town: &str, id: Uuid, change: Change) -> Result<Record<pb::Hold>, Refusal> {
    let today = work.call().today();
    let view = views::hold(work.sql(), (town, id), &Scope::Town, today).await?;
    let view = view.ok_or_else(|| Refusal::internal("a hold vanished"))?;
    Ok(Record {
        town: town.to_owned(),
        resource: change.resource.clone(),
        summary: format!("{} {}", change.verb, change.resource),
        changes: vec![change],
        answer: encode::hold(town, &view)?,
    })
}

/// CreateHold.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateHoldRequest;
    type Answer = pb::Hold;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Hold>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().scope(town.town())?;
        let default = pb::Hold::default();
        let given = request.hold.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let mut name = |field, text: &str| faults.take(in_town(field, text, town.town(), AccountName::town));
        let (from, into) =
            (name("hold.account", &given.account), name("hold.into_account", &given.into_account));
        let amount = faults.take(money::amount("hold.amount", given.amount.as_ref()));
        let expires_on = faults.take(wire::date("hold.expire_date", given.expire_date.as_ref()));
        if expires_on.flatten().is_some_and(|day| day < work.call().today()) {
            let (zh, en) = ("早于今天", "before today");
            faults.push(FieldFault::new("hold.expire_date", "PAST", zh, en));
        }
        let all = from.zip(into).zip(amount).zip(expires_on);
        let (((from, into), amount), expires_on) = money::finish(faults, all)?;
        let (from_account, into_account) = (account(work, &from).await?, account(work, &into).await?);
        let (one, other) = (&from_account.key, &into_account.key);
        let within = one.kind == AccountKind::Committee
            && other.kind == AccountKind::Committee
            && one.committee != other.committee
            && matches!(one.earmark, None | Some(Earmark::Carried))
            && (one.fund, one.fiscal_year, &one.earmark) == (other.fund, other.fiscal_year, &other.earmark);
        if !within {
            return Err(Refusal::new(&EARMARK_CROSSED).with("account", &from).with("into", &into));
        }
        from_account.need(work, town.town(), amount).await?;
        let id = Uuid::now_v7();
        let name = format!("{town}/holds/{id}");
        let new = NewHold {
            id,
            account: &from_account,
            amount,
            key: &format!("hold/{id}"),
            subject: &name,
            purpose: &given.purpose,
            expires_on,
            into: Some(into_account.id),
        };
        store::hold(work, town.town(), &new).await?;
        let change = change(&name, 1, HoldVerb::Create, ["", HoldState::Held.name()], "");
        record(work, town.town(), id, change).await
    }
}

/// The hold of a request, locked, within the caller's areas, in the state of today.
async fn locked(
    work: &mut Work,
    text: &str,
    etag: &str,
    verb: HoldVerb,
) -> Result<(HoldName, Held), Refusal> {
    let name: HoldName = wire::name("name", text)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let missing = || call.missing(&scope, "linli.dev/Hold", name.to_string());
    let id = uuid(name.hold()).ok_or_else(missing)?;
    views::hold(work.sql(), (name.town(), id), &scope, call.today()).await?.ok_or_else(missing)?;
    let held = store::get_hold(work.sql(), name.town(), id).await?.ok_or_else(missing)?;
    check_etag(text, etag, held.version)?;
    let over = held.expires_on.is_some_and(|day| day < call.today());
    let state = if held.state == HoldState::Held && over { HoldState::Expired } else { held.state };
    transition(&HOLDS, text, state, verb)?;
    need_own(text, held.into, &held.subject)?;
    Ok((name, held))
}

/// Refuses for a hold that was made for something else: it is resolved with that.
pub(super) fn need_own(name: &str, into: Option<Uuid>, subject: &str) -> Result<(), Refusal> {
    match into {
        Some(_) => Ok(()),
        None => Err(Refusal::new(&HOLD_OF_ANOTHER).with("name", name).with("subject", subject)),
    }
}

/// Refuses to who made a hold to post it.
pub(super) fn need_another(name: &str, who: &Actor, made_by: &Actor) -> Result<(), Refusal> {
    another(name, HoldVerb::Post.name(), who, &[(HoldVerb::Create.name(), made_by)])
}

/// PostHold.
pub(super) struct Post;

#[tonic::async_trait]
impl Verb for Post {
    type Request = pb::PostHoldRequest;
    type Answer = pb::Hold;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Hold>, Refusal> {
        let (name, held) = locked(work, &request.name, &request.etag, HoldVerb::Post).await?;
        need_another(&request.name, &Actor::of(work.call()), &held.by)?;
        let mut faults = Faults::default();
        let asked = request.amount.as_ref();
        let amount =
            asked.map_or(Some(held.amount), |given| faults.take(money::amount("amount", Some(given))));
        let amount = money::finish(faults, amount)?;
        if amount > held.amount {
            return Err(Refusal::new(&HOLD_SMALLER).with("name", &name).with("amount", held.amount));
        }
        let (town, into) = (name.town(), held.into.unwrap_or_default());
        let from = store::by_id(work.sql(), town, held.account).await?;
        let from = from.ok_or_else(|| Refusal::internal("the account of a hold vanished"))?;
        let what = For {
            kind: EntryKind::Transfer,
            key: &format!("hold/{}", held.id),
            fiscal_year: from.key.fiscal_year,
            booked_on: work.call().today(),
            subject: &request.name,
            description: &held.purpose,
        };
        let entry = Entry::simple(what, from.id, into, amount);
        store::resolve(work, town, held.id, Outcome::Posted { amount, entry: entry.id }).await?;
        store::post(work, town, &[entry]).await?;
        let states = [HoldState::Held.name(), HoldState::Posted.name()];
        let change = change(&request.name, held.version + 1, HoldVerb::Post, states, &request.comment);
        record(work, town, held.id, change).await
    }
}

/// VoidHold.
pub(super) struct Void;

#[tonic::async_trait]
impl Verb for Void {
    type Request = pb::VoidHoldRequest;
    type Answer = pb::Hold;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Hold>, Refusal> {
        let (name, held) = locked(work, &request.name, &request.etag, HoldVerb::Void).await?;
        store::resolve(work, name.town(), held.id, Outcome::Voided).await?;
        let states = [HoldState::Held.name(), HoldState::Voided.name()];
        let change = change(&request.name, held.version + 1, HoldVerb::Void, states, &request.comment);
        record(work, name.town(), held.id, change).await
    }
}

/// ReverseEntry.
pub(super) struct Reverse;

#[tonic::async_trait]
impl Verb for Reverse {
    type Request = pb::ReverseEntryRequest;
    type Answer = pb::Entry;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Entry>, Refusal> {
        let name: EntryName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        call.whole_town(name.town())?;
        let missing = || Refusal::not_found("linli.dev/Entry", name.to_string());
        let id = uuid(name.entry()).ok_or_else(missing)?;
        let booked = store::booked(work.sql(), name.town(), id).await?.ok_or_else(missing)?;
        check_etag(&request.name, &request.etag, 1)?;
        if let Some(by) = booked.reversed_by {
            let by = format!("towns/{}/entries/{by}", name.town());
            return Err(Refusal::new(&REVERSED_ALREADY).with("name", &name).with("by", by));
        }
        let here = matches!(booked.entry.kind, EntryKind::Transfer | EntryKind::Opening);
        if !here || booked.entry.reverses.is_some() {
            return Err(Refusal::new(&NOT_REVERSED_HERE)
                .with("name", &name)
                .with("kind", booked.entry.kind.name()));
        }
        another(&request.name, "reverse", &Actor::of(&call), &[("book", &booked.by)])?;
        for (account, amount) in booked.entry.postings.iter().filter(|(_, amount)| *amount > Fen::ZERO) {
            if let Some(account) = store::by_id(work.sql(), name.town(), *account).await? {
                account.need(work, name.town(), *amount).await?;
            }
        }
        let entry = booked.entry.reversal(call.today(), &request.comment);
        let reversal = entry.id;
        // somebody else took it back meanwhile: another try finds it so
        let done = store::post(work, name.town(), &[entry]).await;
        done.map_err(|refusal| match std::ptr::eq(refusal.reason(), &ENTRY_WRITTEN) {
            true => Refusal::new(&CONFLICT).because(refusal),
            false => refusal,
        })?;
        reversed(work, &name, reversal, &request.comment).await
    }
}

async fn reversed(
    work: &mut Work,
    name: &EntryName,
    reversal: Uuid,
    comment: &str,
) -> Result<Record<pb::Entry>, Refusal> {
    let town = name.town();
    let view = views::entry(work.sql(), (town, reversal), &Scope::Town).await?;
    let view = view.ok_or_else(|| Refusal::internal("an entry vanished"))?;
    let postings = views::postings(work.sql(), town, &[reversal]).await?;
    let answer = encode::entries(town, &[view], &postings)?.remove(0);
    let change = Change {
        resource: answer.name.clone(),
        version: 1,
        verb: "reverse",
        from_state: "",
        to_state: "",
        comment: comment.to_owned(),
        event: "entry.reversed",
        data: json!({"entry": name.to_string(), "reversal": answer.name}),
    };
    Ok(Record {
        town: town.to_owned(),
        resource: name.to_string(),
        summary: format!("reverse {name}"),
        changes: vec![change],
        answer,
    })
}
