//! The SQL of campaigns.

pub(crate) mod coverage;
pub(crate) mod placements;
pub(crate) mod samples;

use chassis::{actor::Actor, identity::Scope, listing::Asked, paging::push_predicate, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::{Op, Predicate, Value},
    name::{CampaignName, TownName},
    periods::Period,
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Channel, State};

/// A campaign as the table keeps it, with what it is for.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Campaign {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) starts_on: String,
    pub(crate) ends_on: String,
    pub(crate) state: String,
    pub(crate) planned_by: String,
    pub(crate) begun_on: Option<String>,
    pub(crate) closed_on: Option<String>,
    pub(crate) reason: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) committees: Vec<String>,
    pub(crate) channels: Vec<String>,
    pub(crate) programmes: Vec<String>,
}

impl Campaign {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/campaigns/{}", self.town, self.id)
    }

    /// Its state.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        named(&self.state)
    }

    /// Its days.
    pub(crate) fn days(&self) -> Result<Period, Refusal> {
        period(&self.starts_on, &self.ends_on)
    }

    /// By what it makes something known.
    pub(crate) fn channels(&self) -> Result<Vec<Channel>, Refusal> {
        self.channels.iter().map(|channel| named(channel)).collect()
    }

    /// Whether it is for a committee.
    pub(crate) fn is_for(&self, committee: &str) -> bool {
        self.committees.iter().any(|id| id == committee)
    }
}

/// A state, channel or the like of a column.
pub(crate) fn named<T: Named>(text: &str) -> Result<T, Refusal> {
    T::from_name(text).ok_or_else(|| Refusal::internal(format!("{text} is no name of a column")))
}

/// A date of a column.
pub(crate) fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

/// The days of two columns.
pub(crate) fn period(from: &str, to: &str) -> Result<Period, Refusal> {
    Period::new(day(from)?, Some(day(to)?)).map_err(Refusal::internal)
}

/// What a campaign is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What it is called.
    pub(crate) title: String,
    /// Ids of programmes.
    pub(crate) programmes: Vec<String>,
    /// By what.
    pub(crate) channels: Vec<Channel>,
    /// Ids of committees.
    pub(crate) committees: Vec<String>,
    /// From when until when.
    pub(crate) starts_on: Date,
    /// The first day no longer.
    pub(crate) ends_on: Date,
}

impl Plan {
    /// The committee when it is for one alone, else nothing.
    fn committee(&self) -> &str {
        match self.committees.as_slice() {
            [only] => only,
            _ => "",
        }
    }
}

const COLUMNS: &str = "select c.town, c.id, c.title, c.starts_on::text as starts_on, c.ends_on::text as ends_on, c.state, c.planned_by,
    c.begun_on::text as begun_on, c.closed_on::text as closed_on, c.reason, c.version,
    (extract(epoch from c.created) * 1000000)::bigint as created, (extract(epoch from c.updated) * 1000000)::bigint as updated,
    array(select m.committee from campaign_committee m where m.town = c.town and m.campaign = c.id order by m.committee) as committees,
    array(select h.channel from campaign_channel h where h.town = c.town and h.campaign = c.id order by h.channel) as channels,
    array(select p.programme from campaign_programme p where p.town = c.town and p.campaign = c.id order by p.programme) as programmes
    from campaign c where c.town = ";

/// How a row is held until the end of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Not at all.
    No,
    /// As it is: what is recorded under it goes on beside.
    AsItIs,
    /// To be changed.
    ToChange,
}

/// A campaign that reaches into the caller's areas.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &CampaignName,
    scope: &Scope,
    hold: Hold,
) -> Result<Option<Campaign>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.campaign()) else { return Ok(None) };
    if hold != Hold::No {
        // what is read of the parts must be what they are once the lock is held
        let lock = if hold == Hold::ToChange { " for update" } else { " for share" };
        let mut query = QueryBuilder::<Postgres>::new("select c.id from campaign c where c.town = ");
        query.push_bind(name.town()).push(" and c.id = ").push_bind(id).push(lock);
        query.build().fetch_optional(&mut *sql).await?;
    }
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(name.town()).push(" and c.id = ").push_bind(id);
    push_within(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Appends that a campaign is for a committee of the caller's areas.
fn push_within(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and exists (select from campaign_committee m where m.town = c.town and m.campaign = c.id and m.committee = any(");
        query.push_bind(scope.ids().1.to_vec()).push("))");
    }
}

/// The columns of the tables of parts, as the filter names them, with where their rows are.
const PARTS: &[(&str, &str)] = &[
    (
        "m.committee",
        "exists (select from campaign_committee m where m.town = c.town and m.campaign = c.id and m.committee = ",
    ),
    (
        "h.channel",
        "exists (select from campaign_channel h where h.town = c.town and h.campaign = c.id and h.channel = ",
    ),
    (
        "p.programme",
        "exists (select from campaign_programme p where p.town = c.town and p.campaign = c.id and p.programme = ",
    ),
];

/// Appends a filter in which a campaign has each of its committees, channels and programmes.
fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &Predicate) {
    match filter {
        Predicate::And(all) if !all.is_empty() => push_joined(query, all, " and "),
        Predicate::Or(any) => push_joined(query, any, " or "),
        Predicate::Not(inner) => {
            query.push("not (");
            push_filter(query, inner);
            query.push(")");
        }
        Predicate::Compare { column, op, value: Value::Text(text) } => {
            let Some((_, rows)) = PARTS.iter().find(|(part, _)| part == column) else {
                return push_predicate(query, filter);
            };
            query.push(if *op == Op::Ne { "not " } else { "" }).push(*rows).push_bind(text.clone()).push(")");
        }
        Predicate::And(_) | Predicate::Compare { .. } => push_predicate(query, filter),
    }
}

fn push_joined(query: &mut QueryBuilder<Postgres>, several: &[Predicate], with: &str) {
    query.push("(");
    for (n, each) in several.iter().enumerate() {
        query.push(if n > 0 { with } else { "" });
        push_filter(query, each);
    }
    query.push(")");
}

/// Appends key, order and bound, by a column of ids.
fn push_page(query: &mut QueryBuilder<Postgres>, asked: &Asked, id: &'static str) {
    if let Some(after) = asked.after.as_deref().and_then(|text| Uuid::parse_str(text).ok()) {
        query.push(" and ").push(id).push(if asked.descending { " < " } else { " > " }).push_bind(after);
    }
    query.push(" order by ").push(id).push(if asked.descending { " desc limit " } else { " limit " });
    query.push_bind(asked.limit);
}

/// A page of campaigns, by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    push_within(&mut query, &asked.scope);
    query.push(" and ");
    push_filter(&mut query, &asked.filter);
    push_page(&mut query, asked, "c.id");
    query
}

/// The programmes of `ids` that the town has.
pub(crate) async fn programmes(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<Vec<String>, Refusal> {
    let rows = sqlx::query_scalar!(
        "select id from programme where town = $1 and id = any($2) and deleted is null for share",
        town,
        ids
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Keeps a plan.
pub(crate) async fn create(
    sql: &mut PgConnection,
    town: &TownName,
    id: Uuid,
    plan: &Plan,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into campaign (town, id, committee, title, starts_on, ends_on, planned_by, planned_person)
         values ($1, $2, $3, $4, $5::text::date, $6::text::date, $7, $8)",
        town.town(),
        id,
        plan.committee(),
        plan.title,
        plan.starts_on.to_string(),
        plan.ends_on.to_string(),
        by.principal,
        by.person,
    );
    done.execute(&mut *sql).await?;
    parts(sql, town.town(), id, plan).await
}

/// Changes a plan; the next version.
pub(crate) async fn update(sql: &mut PgConnection, campaign: &Campaign, plan: &Plan) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update campaign set committee = $3, title = $4, starts_on = $5::text::date, ends_on = $6::text::date,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        campaign.town,
        campaign.id,
        plan.committee(),
        plan.title,
        plan.starts_on.to_string(),
        plan.ends_on.to_string(),
    );
    let version = version.fetch_one(&mut *sql).await?;
    parts(sql, &campaign.town, campaign.id, plan).await?;
    Ok(version)
}

/// Makes a plan's committees, channels and programmes those of the campaign.
async fn parts(sql: &mut PgConnection, town: &str, id: Uuid, plan: &Plan) -> Result<(), Refusal> {
    let channels: Vec<String> = plan.channels.iter().map(|channel| channel.name().to_owned()).collect();
    let gone = sqlx::query!(
        "with a as (delete from campaign_committee where town = $1 and campaign = $2 and committee <> all ($3::text[])),
              b as (delete from campaign_channel where town = $1 and campaign = $2 and channel <> all ($4::text[]))
         delete from campaign_programme where town = $1 and campaign = $2 and programme <> all ($5::text[])",
        town,
        id,
        &plan.committees,
        &channels,
        &plan.programmes,
    );
    gone.execute(&mut *sql).await?;
    let new = sqlx::query!(
        "with a as (insert into campaign_committee (town, campaign, committee)
                        select $1, $2, committee from unnest($3::text[]) as given (committee) on conflict do nothing),
              b as (insert into campaign_channel (town, campaign, channel)
                        select $1, $2, channel from unnest($4::text[]) as given (channel) on conflict do nothing)
         insert into campaign_programme (town, campaign, programme)
             select $1, $2, programme from unnest($5::text[]) as given (programme) on conflict do nothing",
        town,
        id,
        &plan.committees,
        &channels,
        &plan.programmes,
    );
    new.execute(sql).await?;
    Ok(())
}

/// Writes a step of its life; the next version.
pub(crate) async fn step(
    sql: &mut PgConnection,
    campaign: &Campaign,
    to: State,
    on: Date,
    reason: &str,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update campaign set state = $3, reason = $5,
                begun_on = case when $3 = 'RUNNING' then $4::text::date else begun_on end,
                closed_on = case when $3 in ('COMPLETED', 'CANCELLED') then $4::text::date end,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        campaign.town,
        campaign.id,
        to.name(),
        on.to_string(),
        reason,
    );
    Ok(version.fetch_one(sql).await?)
}

/// What stands of a campaign in the caller's areas.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Placements that weren't taken back.
    pub(crate) placements: i64,
    /// Survey samples.
    pub(crate) samples: i64,
    /// Committees without a placement.
    pub(crate) waiting: Vec<String>,
}

/// What stands of a campaign in the caller's areas.
pub(crate) async fn standing(
    sql: &mut PgConnection,
    campaign: &Campaign,
    scope: &Scope,
) -> Result<Standing, Refusal> {
    let row = sqlx::query_as!(
        Standing,
        r#"with its as (select m.committee from campaign_committee m where m.town = $1 and m.campaign = $2 and ($3 or m.committee = any($4))),
                stands as (select p.committee from placement p join its using (committee) where p.town = $1 and p.campaign = $2
                    and not exists (select from placement_removal r where r.town = p.town and r.placement = p.id))
           select (select count(*) from stands) as "placements!",
                  (select count(*) from awareness_sample s join its using (committee) where s.town = $1 and s.campaign = $2) as "samples!",
                  array(select i.committee from its i where i.committee not in (select committee from stands) order by 1) as "waiting!""#,
        campaign.town,
        campaign.id,
        scope.is_town(),
        scope.ids().1,
    );
    Ok(row.fetch_one(sql).await?)
}
