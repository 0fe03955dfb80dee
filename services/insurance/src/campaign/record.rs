//! What is recorded under a campaign: placements, what takes them back, and survey samples. Each has a history of its own, so that
//! committees record side by side.

use chassis::{
    actor::Actor,
    comment, fields,
    governance::Governance,
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{CampaignName, CommitteeName, DocumentName, EstateName, TownName},
    resource_name,
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    acts, encode,
    rules::{Channel, TABLE, Verb as Do},
    store::{
        self, Campaign, Hold,
        placements::{self, Placement, Placing},
        samples::{self, Survey},
    },
};
use crate::reasons::{ESTATE_ELSEWHERE, PEER_UNKNOWN, PLACEMENT_REMOVED};

resource_name! { /// A placement 点位 of a campaign.
PlacementName, "towns/{town}/placements/{placement}", town, placement }

/// What governance says of the estate of a placement.
pub(super) enum Estate {
    /// It wasn't asked: none is named, or none that could be.
    NotAsked,
    /// There is none of this name.
    Unknown,
    /// It is of this committee.
    Of(String),
}

/// Asks governance for the estate of a placement. Who may not record there learns nothing of it.
pub(super) async fn estate(
    governance: &Governance,
    (town, scope, today): (&TownName, &Scope, Date),
    given: Option<&pb::Placement>,
) -> Result<Estate, Refusal> {
    let Some(given) = given else { return Ok(Estate::NotAsked) };
    let mine =
        CommitteeName::parse(&given.committee).is_ok_and(|name| scope.holds_committee(name.committee()));
    let name = EstateName::parse(&given.estate).ok();
    let Some(name) = name.filter(|name| mine && name.town() == town.town()) else {
        return Ok(Estate::NotAsked);
    };
    let found = governance.estate(&name, today).await?;
    Ok(found.map_or(Estate::Unknown, |estate| Estate::Of(estate.committee)))
}

/// Faults of a committee and a channel that aren't the campaign's, and of a day that is to come.
struct Fit<'a> {
    campaign: &'a Campaign,
    today: Date,
    /// The files of those named that are stored for the campaign.
    stored: Vec<Uuid>,
    faults: Faults,
}

impl Fit<'_> {
    fn fault(&mut self, field: &str, reason: &'static str, zh: &str, en: &str) {
        self.faults.push(FieldFault::new(field, reason, zh, en));
    }

    fn committee(&mut self, field: &str, given: &str) -> Option<String> {
        let id = self.faults.take(fields::committee_id(field, &self.campaign.town, given))?;
        if self.campaign.is_for(&id) {
            return Some(id);
        }
        self.fault(field, "NOT_OF_THE_CAMPAIGN", "不在活动范围内", "not a committee of the campaign");
        None
    }

    fn channel(&mut self, field: &str, given: i32) -> Result<Option<Channel>, Refusal> {
        let Some(channel) = encode::channel_of(given) else {
            self.fault(field, "REQUIRED", "必填", "required");
            return Ok(None);
        };
        if self.campaign.channels()?.contains(&channel) {
            return Ok(Some(channel));
        }
        self.fault(field, "NOT_OF_THE_CAMPAIGN", "不是活动采用的渠道", "not a channel of the campaign");
        Ok(None)
    }

    fn not_to_come(&mut self, field: &str, day: Date) {
        if day > self.today {
            self.fault(field, "FUTURE", "不能晚于今天", "must not be in the future");
        }
    }

    /// The days of a placement, which lie within the campaign's.
    fn days(&mut self, given: &pb::Placement) -> Result<Option<(Date, Date)>, Refusal> {
        let asked = (given.start_date.as_ref(), given.end_date.as_ref());
        let Some((from, to)) = acts::days(&mut self.faults, "placement", asked) else { return Ok(None) };
        self.not_to_come("placement.start_date", from);
        let days = self.campaign.days()?;
        let outside = |zh: &str, en: &str, day: Date| (format!("{zh} {day}"), format!("{en} {day}"));
        if from < days.from() {
            let (zh, en) = outside("早于活动起日", "before the campaign, which starts on", days.from());
            self.fault("placement.start_date", "OUTSIDE_THE_CAMPAIGN", &zh, &en);
        }
        if let Some(end) = days.to().filter(|end| to > *end) {
            let (zh, en) = outside("晚于活动止日", "after the campaign, which ends before", end);
            self.fault("placement.end_date", "OUTSIDE_THE_CAMPAIGN", &zh, &en);
        }
        Ok(Some((from, to)))
    }

    fn documents(&mut self, given: &[String]) -> Vec<Uuid> {
        let mut found: Vec<Uuid> = Vec::new();
        for (n, name) in given.iter().enumerate() {
            let field = format!("placement.documents[{n}]");
            let name = fields::in_town(&field, name, &self.campaign.town, DocumentName::town);
            let Some(name) = self.faults.take(name) else { continue };
            match document_id(&name).filter(|id| self.stored.contains(id)) {
                None => self.fault(
                    &field,
                    "NOT_OF_THE_CAMPAIGN",
                    "不是本活动已存的材料",
                    "no document that is stored for the campaign",
                ),
                Some(id) if found.contains(&id) => self.fault(&field, "REPEATED", "重复", "given twice"),
                Some(id) => found.push(id),
            }
        }
        found
    }

    fn placing(mut self, given: &pb::Placement) -> Result<Placing, Refusal> {
        let committee = self.committee("placement.committee", &given.committee);
        let channel = self.channel("placement.channel", given.channel)?;
        let days = self.days(given)?;
        let documents = self.documents(&given.documents);
        let town = &self.campaign.town;
        let estate = match given.estate.as_str() {
            "" => Some(String::new()),
            name => self
                .faults
                .take(fields::in_town("placement.estate", name, town, EstateName::town))
                .map(|name: EstateName| name.estate().to_owned()),
        };
        let place = match given.place.trim() {
            "" => Some(String::new()),
            place => self.faults.take(fields::display("placement.place", place)),
        };
        if estate.as_deref() == Some("") && place.as_deref() == Some("") {
            self.fault("placement.place", "REQUIRED", "须写明地点或小区", "say where, or name the estate");
        }
        let all = committee.zip(channel).zip(days).zip(estate.zip(place));
        let (((committee, channel), (shown_from, shown_to)), (estate, place)) = self.faults.finish(all)?;
        Ok(Placing {
            committee,
            channel,
            place,
            estate,
            shown_from,
            shown_to,
            copies: given.copies,
            households_reached: given.households_reached,
            people_reached: given.people_reached,
            documents,
        })
    }

    fn survey(mut self, given: &pb::AwarenessSample) -> Result<Survey, Refusal> {
        let committee = self.committee("awareness_sample.committee", &given.committee);
        let field = "awareness_sample.survey_date";
        let surveyed_on = self.faults.take(wire::required_date(field, given.survey_date.as_ref()));
        if let Some(day) = surveyed_on {
            self.not_to_come(field, day);
            if day < self.campaign.days()?.from() {
                self.fault(field, "OUTSIDE_THE_CAMPAIGN", "早于活动起日", "before the campaign");
            }
        }
        if given.aware > given.asked {
            let (zh, en) = ("知晓人数多于受访人数", "more than were asked");
            self.fault("awareness_sample.aware", "MORE_THAN_ASKED", zh, en);
        }
        let mut heard_by: Vec<(Channel, i32)> = Vec::new();
        for (n, heard) in given.heard_by.iter().enumerate() {
            let at = |part: &str| format!("awareness_sample.heard_by[{n}].{part}");
            let Some(channel) = encode::channel_of(heard.channel) else {
                self.fault(&at("channel"), "REQUIRED", "必填", "required");
                continue;
            };
            if heard_by.iter().any(|(former, _)| *former == channel) {
                self.fault(&at("channel"), "REPEATED", "重复", "given twice");
            }
            if heard.people > given.aware {
                let (zh, en) = ("多于知晓人数", "more than knew of it");
                self.fault(&at("people"), "MORE_THAN_AWARE", zh, en);
            }
            heard_by.push((channel, heard.people));
        }
        let (committee, surveyed_on) = self.faults.finish(committee.zip(surveyed_on))?;
        Ok(Survey { committee, surveyed_on, asked: given.asked, aware: given.aware, heard_by })
    }
}

fn document_id(name: &DocumentName) -> Option<Uuid> {
    Uuid::parse_str(name.document()).ok()
}

/// A campaign that the caller sees and that takes records by `verb`; it stays as it is until the end of the unit of work. Refused
/// for a committee that isn't the caller's.
async fn under(
    work: &mut Work,
    (name, etag, committee): (&str, &str, &str),
    verb: Do,
) -> Result<Campaign, Refusal> {
    let name: CampaignName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let campaign = store::get(work.sql(), &name, &scope, Hold::AsItIs).await?;
    let campaign = campaign.ok_or_else(|| call.missing(&scope, "linli.dev/Campaign", name.to_string()))?;
    let elsewhere =
        CommitteeName::parse(committee).is_ok_and(|committee| !scope.holds_committee(committee.committee()));
    if elsewhere {
        return Err(call.denied());
    }
    check_etag(&campaign.name(), etag, campaign.version)?;
    transition(&TABLE, &campaign.name(), campaign.state()?, verb)?;
    Ok(campaign)
}

/// The event of a placement; where it is in words stays out of it.
fn told(placement: &Placement) -> serde_json::Value {
    let town = &placement.town;
    json!({
        "placement": placement.name(), "campaign": format!("towns/{town}/campaigns/{}", placement.campaign),
        "committee": format!("towns/{town}/committees/{}", placement.committee), "channel": placement.channel,
        "start_date": placement.shown_from, "end_date": placement.shown_to,
    })
}

async fn placement_record(
    work: &mut Work,
    (town, id): (&str, Uuid),
    (verb, event, comment): (&'static str, &'static str, &str),
) -> Result<Record<pb::Placement>, Refusal> {
    let now = placements::get(work.sql(), (town, id), &Scope::Town).await?;
    let now = now.ok_or_else(|| Refusal::internal(format!("placement {id} vanished")))?;
    let change = Change {
        resource: now.name(),
        version: now.version(),
        verb,
        from_state: if now.is_removed() { "PLACED" } else { "" },
        to_state: if now.is_removed() { "REMOVED" } else { "PLACED" },
        comment: comment.to_owned(),
        event,
        data: told(&now),
    };
    Ok(Record {
        town: town.to_owned(),
        resource: now.name(),
        summary: format!("{verb} {}", now.name()),
        changes: vec![change],
        answer: encode::placement(&now)?,
    })
}

/// RecordPlacement.
pub(super) struct Place;

#[tonic::async_trait]
impl VerbGiven for Place {
    type Given = Estate;
    type Request = pb::RecordPlacementRequest;
    type Answer = pb::Placement;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::Placement>, Refusal> {
        let default = pb::Placement::default();
        let asked = request.placement.as_ref().unwrap_or(&default);
        let under_what = (request.name.as_str(), request.etag.as_str(), asked.committee.as_str());
        let campaign = under(work, under_what, Do::RecordPlacement).await?;
        let today = work.call().today();
        let named = asked.documents.iter().filter_map(|name| document_id(&DocumentName::parse(name).ok()?));
        let named: Vec<Uuid> = named.collect();
        let stored = placements::stored(work.sql(), &campaign, &named).await?;
        let placing = Fit { campaign: &campaign, today, stored, faults: Faults::default() }.placing(asked)?;
        match given {
            Estate::Unknown => return Err(Refusal::new(&PEER_UNKNOWN).with("name", &asked.estate)),
            Estate::Of(committee) if *committee != asked.committee => {
                return Err(Refusal::new(&ESTATE_ELSEWHERE)
                    .with("estate", &asked.estate)
                    .with("committee", &asked.committee));
            }
            Estate::NotAsked | Estate::Of(_) => {}
        }
        let (id, by) = (Uuid::now_v7(), Actor::of(work.call()));
        placements::record(work.sql(), &campaign, id, &placing, (&by, today)).await?;
        let what = (Do::RecordPlacement.name(), "placement.recorded", request.comment.as_str());
        placement_record(work, (&campaign.town, id), what).await
    }
}

/// RemovePlacement.
pub(super) struct Remove;

#[tonic::async_trait]
impl Verb for Remove {
    type Request = pb::RemovePlacementRequest;
    type Answer = pb::Placement;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Placement>, Refusal> {
        let name: PlacementName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let id = Uuid::parse_str(name.placement()).ok();
        let found = match id {
            Some(id) => placements::get(work.sql(), (name.town(), id), &scope).await?,
            None => None,
        };
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Placement", name.to_string()))?;
        let removed = || Refusal::new(&PLACEMENT_REMOVED).with("name", &name);
        if found.is_removed() {
            return Err(removed());
        }
        check_etag(&found.name(), &request.etag, found.version())?;
        let reason = comment::reason(&request.comment, &found.name(), "remove")?;
        if !placements::remove(work.sql(), &found, reason, (&Actor::of(&call), call.today())).await? {
            return Err(removed());
        }
        placement_record(work, (name.town(), found.id), ("remove", "placement.removed", &request.comment))
            .await
    }
}

/// RecordAwarenessSample.
pub(super) struct Sample;

#[tonic::async_trait]
impl Verb for Sample {
    type Request = pb::RecordAwarenessSampleRequest;
    type Answer = pb::AwarenessSample;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::AwarenessSample>, Refusal> {
        let default = pb::AwarenessSample::default();
        let asked = request.awareness_sample.as_ref().unwrap_or(&default);
        let under_what = (request.name.as_str(), request.etag.as_str(), asked.committee.as_str());
        let campaign = under(work, under_what, Do::RecordAwarenessSample).await?;
        let today = work.call().today();
        let fit = Fit { campaign: &campaign, today, stored: Vec::new(), faults: Faults::default() };
        let survey = fit.survey(asked)?;
        let (id, by) = (Uuid::now_v7(), Actor::of(work.call()));
        samples::record(work.sql(), &campaign, id, &survey, (&by, today)).await?;
        let now = samples::get(work.sql(), &campaign.town, id).await?;
        let now = now.ok_or_else(|| Refusal::internal(format!("sample {id} vanished")))?;
        let change = Change {
            resource: now.name(),
            version: 1,
            verb: Do::RecordAwarenessSample.name(),
            from_state: "",
            to_state: "RECORDED",
            comment: request.comment.clone(),
            event: "awarenessSample.recorded",
            data: json!({
                "awareness_sample": now.name(), "campaign": campaign.name(),
                "committee": format!("towns/{}/committees/{}", campaign.town, survey.committee),
                "survey_date": now.surveyed_on, "asked": now.asked, "aware": now.aware,
            }),
        };
        Ok(Record {
            town: campaign.town.clone(),
            resource: now.name(),
            summary: format!("{} {}", Do::RecordAwarenessSample.name(), now.name()),
            changes: vec![change],
            answer: encode::sample(&now)?,
        })
    }
}
