//! Campaigns, placements, samples and coverage on the wire.

use chassis::{fields::number, refusal::Refusal, wire};
use contracts::linli::insurance::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    state::Named,
};

use super::{
    rules::{
        Channel, State, awareness,
        coverage::{Coverage, Sum, ppm},
    },
    store::{Campaign, Standing, day, placements::Placement, samples::Sample},
};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List of campaigns may ask for.
pub(crate) const CAMPAIGNS: &[FieldSpec] = &[
    field("state", "c.state", Kind::Enum(State::NAMES)),
    field("committee", "m.committee", Kind::Name { collection: "committees", town: "c.town" }),
    field("channel", "h.channel", Kind::Enum(Channel::NAMES)),
    field("programme", "p.programme", Kind::Name { collection: "programmes", town: "c.town" }),
    field("start_date", "c.starts_on", Kind::Date),
    field("end_date", "c.ends_on", Kind::Date),
    field("title", "c.title", Kind::Text),
];

/// What a List of placements may ask for.
pub(crate) const PLACEMENTS: &[FieldSpec] = &[
    field("campaign", "p.campaign::text", Kind::Name { collection: "campaigns", town: "p.town" }),
    field("committee", "p.committee", Kind::Name { collection: "committees", town: "p.town" }),
    field("channel", "p.channel", Kind::Enum(Channel::NAMES)),
    field("start_date", "p.shown_from", Kind::Date),
    field("end_date", "p.shown_to", Kind::Date),
    field("removed", "(r.placement is not null)", Kind::Bool),
];

/// What a List of samples may ask for.
pub(crate) const SAMPLES: &[FieldSpec] = &[
    field("campaign", "s.campaign::text", Kind::Name { collection: "campaigns", town: "s.town" }),
    field("committee", "s.committee", Kind::Name { collection: "committees", town: "s.town" }),
    field("survey_date", "s.surveyed_on", Kind::Date),
];

/// What an update may change.
pub(crate) const CHANGEABLE: &[&str] =
    &["title", "programmes", "channels", "committees", "start_date", "end_date"];

/// A channel on the wire.
pub(crate) fn channel(channel: Channel) -> pb::OutreachChannel {
    match channel {
        Channel::BulletinBoard => pb::OutreachChannel::BulletinBoard,
        Channel::Screen => pb::OutreachChannel::Screen,
        Channel::Blackboard => pb::OutreachChannel::Blackboard,
        Channel::Leaflet => pb::OutreachChannel::Leaflet,
        Channel::Poster => pb::OutreachChannel::Poster,
        Channel::Wechat => pb::OutreachChannel::Wechat,
        Channel::Visit => pb::OutreachChannel::Visit,
        Channel::Other => pb::OutreachChannel::Other,
    }
}

/// A channel of a request; nothing when none is said.
pub(crate) fn channel_of(given: i32) -> Option<Channel> {
    Channel::ALL.iter().copied().find(|one| i32::from(channel(*one)) == given)
}

fn state(state: State) -> pb::CampaignState {
    match state {
        State::Planned => pb::CampaignState::Planned,
        State::Running => pb::CampaignState::Running,
        State::Completed => pb::CampaignState::Completed,
        State::Cancelled => pb::CampaignState::Cancelled,
    }
}

fn names(town: &str, collection: &str, ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| format!("towns/{town}/{collection}/{id}")).collect()
}

fn date(text: &Option<String>) -> Result<Option<contracts::google::r#type::Date>, Refusal> {
    Ok(text.as_deref().map(day).transpose()?.map(wire::to_date))
}

/// A campaign as a List shows it.
pub(crate) fn campaign(campaign: &Campaign) -> Result<pb::Campaign, Refusal> {
    let channels = campaign.channels()?.into_iter().map(|one| channel(one).into());
    Ok(pb::Campaign {
        name: campaign.name(),
        title: campaign.title.clone(),
        programmes: names(&campaign.town, "programmes", &campaign.programmes),
        channels: channels.collect(),
        committees: names(&campaign.town, "committees", &campaign.committees),
        start_date: Some(wire::to_date(day(&campaign.starts_on)?)),
        end_date: Some(wire::to_date(day(&campaign.ends_on)?)),
        state: state(campaign.state()?).into(),
        begun_date: date(&campaign.begun_on)?,
        closed_date: date(&campaign.closed_on)?,
        reason: campaign.reason.clone(),
        creator: campaign.planned_by.clone(),
        etag: Etag::of(campaign.version).to_string(),
        create_time: Some(wire::to_timestamp(campaign.created)),
        update_time: Some(wire::to_timestamp(campaign.updated)),
        ..Default::default()
    })
}

/// Tells what stands of a campaign.
pub(crate) fn stand(campaign: &mut pb::Campaign, town: &str, standing: &Standing) {
    campaign.placement_count = number(standing.placements);
    campaign.awareness_sample_count = number(standing.samples);
    campaign.waiting_committees = names(town, "committees", &standing.waiting);
}

/// A placement.
pub(crate) fn placement(placement: &Placement) -> Result<pb::Placement, Refusal> {
    let town = &placement.town;
    let estate = match placement.estate.as_str() {
        "" => String::new(),
        id => format!("towns/{town}/estates/{id}"),
    };
    Ok(pb::Placement {
        name: placement.name(),
        campaign: format!("towns/{town}/campaigns/{}", placement.campaign),
        committee: format!("towns/{town}/committees/{}", placement.committee),
        channel: channel(super::store::named(&placement.channel)?).into(),
        place: placement.place.clone(),
        estate,
        start_date: Some(wire::to_date(day(&placement.shown_from)?)),
        end_date: Some(wire::to_date(day(&placement.shown_to)?)),
        copies: placement.copies,
        households_reached: placement.households_reached,
        people_reached: placement.people_reached,
        documents: names(town, "documents", &placement.documents),
        recorder: placement.recorded_by.clone(),
        record_date: Some(wire::to_date(day(&placement.recorded_on)?)),
        removed: placement.is_removed(),
        remove_date: date(&placement.removed_on)?,
        remover: placement.removed_by.clone().unwrap_or_default(),
        remove_reason: placement.removal_reason.clone().unwrap_or_default(),
        etag: Etag::of(placement.version()).to_string(),
        create_time: Some(wire::to_timestamp(placement.created)),
    })
}

/// A survey sample with what it says of everybody.
pub(crate) fn sample(sample: &Sample) -> Result<pb::AwarenessSample, Refusal> {
    let town = &sample.town;
    let heard = sample.channels.iter().zip(&sample.people).map(|(by, people)| {
        Ok(pb::HeardBy { channel: channel(super::store::named(by)?).into(), people: *people })
    });
    let share = awareness::share(sample.aware.unsigned_abs(), sample.asked.unsigned_abs());
    let share = share.map(|share| pb::AwarenessShare {
        share_ppm: share.share_ppm,
        low_ppm: share.low_ppm,
        high_ppm: share.high_ppm,
    });
    Ok(pb::AwarenessSample {
        name: sample.name(),
        campaign: format!("towns/{town}/campaigns/{}", sample.campaign),
        committee: format!("towns/{town}/committees/{}", sample.committee),
        survey_date: Some(wire::to_date(day(&sample.surveyed_on)?)),
        asked: sample.asked,
        aware: sample.aware,
        heard_by: heard.collect::<Result<_, Refusal>>()?,
        recorder: sample.recorded_by.clone(),
        share,
        create_time: Some(wire::to_timestamp(sample.created)),
    })
}

fn by_channel((by, sum): (&Channel, &Sum)) -> pb::ChannelCoverage {
    pb::ChannelCoverage {
        channel: channel(*by).into(),
        placement_count: number(sum.placements),
        days_shown: number(sum.days),
        copies: sum.copies,
        households_reached: sum.households,
        people_reached: sum.people,
    }
}

/// What was done in a committee.
pub(crate) fn coverage(
    (committee, display_name): (String, String),
    found: &Coverage,
    declared: Option<i32>,
    awareness: Option<pb::AwarenessSample>,
) -> pb::CommitteeCoverage {
    let part = |households: i64| declared.filter(|all| *all > 0).map(|all| ppm(households, all.into()));
    pb::CommitteeCoverage {
        committee,
        display_name,
        channels: found.channels.iter().map(by_channel).collect(),
        placement_count: number(found.whole.placements),
        days_shown: number(found.whole.days),
        declared_households: declared,
        households_reached_least: found.households_least,
        households_reached_most: found.households_most,
        reached_least_ppm: part(found.households_least),
        reached_most_ppm: part(found.households_most),
        people_reached: found.whole.people,
        awareness,
        uncovered: found.whole.placements == 0,
    }
}
