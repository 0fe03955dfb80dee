//! The SQL of bodies.

use chassis::{identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::BodyName, periods::Period};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::rules::Facts;
use crate::{
    as_of::AsOf,
    line::Line,
    listing::{Asked, push_as_of, push_within},
    store::bounds,
};

/// The line of a body.
pub(crate) const LINE: Line = Line {
    head: "body",
    table: "body_period",
    columns: &["display_name", "seats", "quorum", "community", "committee", "estate"],
};

/// A body on a day, as known at an instant.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) level: String,
    pub(crate) kind: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) display_name: String,
    pub(crate) seats: i32,
    pub(crate) quorum: i32,
    pub(crate) community: Option<String>,
    pub(crate) committee: Option<String>,
    pub(crate) estate: Option<String>,
    pub(crate) seated: i64,
    pub(crate) term_ends: Option<String>,
}

const VIEW: &str = "select o.town, o.id, o.level, o.kind, lower(o.life)::text as starts, upper(o.life)::text as ends, o.version,
    (extract(epoch from o.created) * 1000000)::bigint as created, (extract(epoch from o.updated) * 1000000)::bigint as updated,
    p.display_name, p.seats, p.quorum, p.community, p.committee, p.estate, m.seated, m.term_ends
    from body o join body_period p on p.town = o.town and p.body = o.id
    cross join lateral (select count(*) as seated, min(upper(s.valid))::text as term_ends from membership s
        where s.town = o.town and s.body = o.id";

/// The committee of a body on the day of its row: its own, or that of its estate.
const COMMITTEE: &str = "coalesce(p.committee, (select e.committee from estate_period e where e.town = p.town and e.estate = p.estate
    and upper_inf(e.recorded) and p.estate is not null and e.valid @> ";

/// Whether bodies of the town and its communities are shown to everybody in the town, or only where they may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Publicly,
    ToChange,
}

fn view(town: &str, scope: &Scope, as_of: &AsOf, today: Date, seen: Seen) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    push_as_of(&mut query, "s", as_of);
    query.push(") m where o.town = ").push_bind(town.to_owned());
    push_as_of(&mut query, "p", as_of);
    if scope.is_town() {
        return query;
    }
    query.push(" and (");
    match seen {
        Seen::Publicly => query.push("o.level in ('TOWN', 'COMMUNITY')"),
        Seen::ToChange => query.push("p.community = any(").push_bind(scope.ids().0.to_vec()).push(")"),
    };
    query.push(" or exists (select from (select ").push(COMMITTEE).push_bind(today.to_string());
    query.push("::date)) as committee, null::text as block) its where true");
    push_within(&mut query, (scope, town, today), "its.committee", "its.block");
    query.push("))");
    query
}

/// A body that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &BodyName,
    scope: &Scope,
    (as_of, today): (&AsOf, Date),
    seen: Seen,
) -> Result<Option<View>, Refusal> {
    let mut query = view(name.town(), scope, as_of, today, seen);
    query.push(" and o.id = ").push_bind(name.body().to_owned());
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of bodies by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = view(&asked.town, &asked.scope, &asked.as_of, asked.today, Seen::Publicly);
    asked.push_page(&mut query, "o.id");
    query
}

/// A page of bodies.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// What never changes about a body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) level: &'static str,
    pub(crate) kind: String,
    pub(crate) life: Period,
}

/// Whether a level can have bodies of a kind.
pub(crate) async fn has_kind(sql: &mut PgConnection, kind: &str, level: &str) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from body_kind where kind = $1 and level = $2) as "found!""#,
        kind,
        level
    );
    Ok(found.fetch_one(sql).await?)
}

/// Creates the head; `false` when the id is taken.
pub(crate) async fn create(sql: &mut PgConnection, name: &BodyName, head: &Head) -> Result<bool, Refusal> {
    let (from, to) = bounds(head.life);
    let done = sqlx::query!(
        "insert into body (town, id, level, kind, life) values ($1, $2, $3, $4, daterange($5::text::date, $6::text::date))
         on conflict do nothing",
        name.town(),
        name.body(),
        head.level,
        head.kind,
        from,
        to,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// The maximum of a kind, when its owner has so many already on days of the new one's life. Others who ask about this
/// owner wait until the end of the transaction: rows that aren't there yet can't be locked.
pub(crate) async fn full(
    sql: &mut PgConnection,
    town: &str,
    (head, facts): (&Head, &Facts),
) -> Result<Option<i32>, Refusal> {
    let ((from, to), owner) = (bounds(head.life), [&facts.community, &facts.committee, &facts.estate]);
    let id = owner.into_iter().flatten().next().map_or(town, String::as_str);
    let key = format!("{town} {} {} {id}", head.level, head.kind);
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", key).execute(&mut *sql).await?;
    let maximum = sqlx::query_scalar!(
        r#"select k.maximum as "maximum!" from body_kind k where k.kind = $2 and k.level = $3 and k.maximum <= (
             select count(*) from body_period p join body o on o.town = p.town and o.id = p.body
             where p.town = $1 and o.kind = k.kind and o.level = k.level and upper_inf(p.recorded)
               and coalesce(p.community, p.committee, p.estate, p.town) = $4
               and p.valid && daterange($5::text::date, $6::text::date))"#,
        town,
        head.kind,
        head.level,
        id,
        from,
        to,
    );
    Ok(maximum.fetch_optional(sql).await?)
}

/// Sets the day from which a body exists no longer.
pub(crate) async fn end(sql: &mut PgConnection, name: &BodyName, day: Date) -> Result<(), Refusal> {
    sqlx::query!(
        "update body set life = daterange(lower(life), $3::text::date) where town = $1 and id = $2",
        name.town(),
        name.body(),
        day.to_string(),
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Level and kind of a body.
pub(crate) async fn head(
    sql: &mut PgConnection,
    name: &BodyName,
) -> Result<Option<(String, String)>, Refusal> {
    let row =
        sqlx::query!("select level, kind from body where town = $1 and id = $2", name.town(), name.body());
    Ok(row.fetch_optional(sql).await?.map(|row| (row.level, row.kind)))
}

/// A kind of body at a level, as a town has it.
#[derive(Clone, Debug)]
pub(crate) struct KindRow {
    pub(crate) kind: String,
    pub(crate) level: String,
    pub(crate) minimum: i32,
    pub(crate) maximum: Option<i32>,
    pub(crate) clause: String,
    pub(crate) zh: String,
    pub(crate) en: String,
    /// That of the town's own setting; 0 while it has none.
    pub(crate) version: i64,
}

/// Every kind of body with what a town must have of it.
pub(crate) async fn kinds(sql: &mut PgConnection, town: &str) -> Result<Vec<KindRow>, Refusal> {
    let rows = sqlx::query_as!(
        KindRow,
        r#"select k.kind, k.level, coalesce(t.minimum, k.minimum) as "minimum!", k.maximum, k.clause, k.zh, k.en,
                  coalesce(t.version, 0) as "version!"
           from body_kind k left join town_body_kind t on t.town = $1 and t.kind = k.kind and t.level = k.level
           order by k.level, k.kind"#,
        town,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Sets what a town must have of a kind; the next version.
pub(crate) async fn set_minimum(sql: &mut PgConnection, town: &str, kind: &KindRow) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "insert into town_body_kind (town, kind, level, minimum) values ($1, $2, $3, $4)
         on conflict (town, kind, level) do update set minimum = excluded.minimum, version = town_body_kind.version + 1,
             updated = clock_timestamp()
         returning version",
        town,
        kind.kind,
        kind.level,
        kind.minimum,
    );
    Ok(version.fetch_one(sql).await?)
}
