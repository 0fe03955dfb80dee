//! The SQL of survey samples.

use chassis::{actor::Actor, identity::Scope, listing::Asked, paging::push_predicate, refusal::Refusal};
use jiff::civil::Date;
use kernel::state::Named;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Campaign, push_page};
use crate::campaign::rules::Channel;

/// A survey sample as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Sample {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) campaign: Uuid,
    pub(crate) committee: String,
    pub(crate) surveyed_on: String,
    pub(crate) asked: i32,
    pub(crate) aware: i32,
    pub(crate) recorded_by: String,
    pub(crate) created: i64,
    /// By which channels those who knew had learned.
    pub(crate) channels: Vec<String>,
    /// How many by each of them.
    pub(crate) people: Vec<i32>,
}

impl Sample {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/awarenessSamples/{}", self.town, self.id)
    }
}

/// What is recorded of a survey.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    pub(crate) committee: String,
    pub(crate) surveyed_on: Date,
    pub(crate) asked: i32,
    pub(crate) aware: i32,
    pub(crate) heard_by: Vec<(Channel, i32)>,
}

/// The columns of a sample.
pub(super) const COLUMNS: &str = "select s.town, s.id, s.campaign, s.committee, s.surveyed_on::text as surveyed_on, s.asked, s.aware, s.recorded_by,
    (extract(epoch from s.created) * 1000000)::bigint as created,
    array(select h.channel from awareness_channel h where h.town = s.town and h.sample = s.id order by h.channel) as channels,
    array(select h.people from awareness_channel h where h.town = s.town and h.sample = s.id order by h.channel) as people
    from awareness_sample s where s.town = ";

/// A sample.
pub(crate) async fn get(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Option<Sample>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(town).push(" and s.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of samples, by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    push_within(&mut query, &asked.scope);
    query.push(" and ");
    push_predicate(&mut query, &asked.filter);
    push_page(&mut query, asked, "s.id");
    query
}

fn push_within(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and s.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// Records a survey of a campaign.
pub(crate) async fn record(
    sql: &mut PgConnection,
    campaign: &Campaign,
    id: Uuid,
    survey: &Survey,
    (by, on): (&Actor, Date),
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into awareness_sample (town, id, campaign, committee, surveyed_on, asked, aware, recorded_by, recorded_person, recorded_on)
         values ($1, $2, $3, $4, $5::text::date, $6, $7, $8, $9, $10::text::date)",
        campaign.town,
        id,
        campaign.id,
        survey.committee,
        survey.surveyed_on.to_string(),
        survey.asked,
        survey.aware,
        by.principal,
        by.person,
        on.to_string(),
    );
    done.execute(&mut *sql).await?;
    let channels: Vec<String> =
        survey.heard_by.iter().map(|(channel, _)| channel.name().to_owned()).collect();
    let people: Vec<i32> = survey.heard_by.iter().map(|(_, people)| *people).collect();
    let heard = sqlx::query!(
        "insert into awareness_channel (town, sample, aware, channel, people)
         select $1, $2, $3, channel, people from unnest($4::text[], $5::int[]) as given (channel, people)",
        campaign.town,
        id,
        survey.aware,
        &channels,
        &people,
    );
    heard.execute(sql).await?;
    Ok(())
}
