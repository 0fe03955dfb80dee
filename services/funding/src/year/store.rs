//! The SQL of fiscal years and of their end.

use chassis::{listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{money::Fen, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Class, Fate, Left, State};
use crate::{
    actor::Actor,
    ledger::{
        rules::{AccountKind, Earmark, Fund, Key},
        store::{Account, named},
    },
    open_expenses::moving_states,
};

/// A year as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Year {
    pub(crate) town: String,
    pub(crate) year: i32,
    pub(crate) state: String,
    pub(crate) proposed_by: String,
    pub(crate) proposed_person: String,
    pub(crate) proposed_on: Option<String>,
    pub(crate) approved_by: String,
    pub(crate) approved_on: Option<String>,
    pub(crate) operation: Option<Uuid>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Year {
    /// Its state.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        named(&self.state)
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        year_name(&self.town, self.year)
    }

    /// Who proposed its end.
    pub(crate) fn proposed(&self) -> Actor {
        Actor::new(self.proposed_by.clone(), self.proposed_person.clone())
    }

    /// Whether its end is approved.
    pub(crate) fn is_approved(&self) -> bool {
        !self.approved_by.is_empty()
    }
}

/// `towns/{town}/fiscalYears/{year}`.
pub(crate) fn year_name(town: &str, year: i32) -> String {
    format!("towns/{town}/fiscalYears/{year}")
}

const COLUMNS: &str = "select y.town, y.year, y.state, y.proposed_by, y.proposed_person, y.proposed_on::text as proposed_on, y.approved_by,
    y.approved_on::text as approved_on, y.operation, y.version,
    (extract(epoch from y.created) * 1000000)::bigint as created, (extract(epoch from y.updated) * 1000000)::bigint as updated
    from fiscal_year y where y.town = ";

/// A year; locked until the end of the transaction when it is to be changed.
pub(crate) async fn get(
    sql: &mut PgConnection,
    town: &str,
    year: i32,
    lock: bool,
) -> Result<Option<Year>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(town).push(" and y.year = ").push_bind(year);
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of years. Years have four digits, so their text has their order.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "y.year::text");
    query
}

/// Whether money can be moved in a year.
pub(crate) async fn is_open(sql: &mut PgConnection, town: &str, year: i32) -> Result<bool, Refusal> {
    let open = sqlx::query_scalar!(
        r#"select exists (select from fiscal_year where town = $1 and year = $2 and state = 'OPEN') as "open!""#,
        town,
        year,
    );
    Ok(open.fetch_one(sql).await?)
}

/// Whether a year can take what is carried over; it stays so until the end of the transaction.
pub(crate) async fn lock_open(sql: &mut PgConnection, town: &str, year: i32) -> Result<bool, Refusal> {
    let state = sqlx::query_scalar!(
        "select state from fiscal_year where town = $1 and year = $2 for share",
        town,
        year,
    );
    let state: Option<String> = state.fetch_optional(sql).await?;
    Ok(state.as_deref().map(named::<State>).transpose()? == Some(State::Open))
}

/// The first year before that isn't closed.
pub(crate) async fn earlier_open(sql: &mut PgConnection, year: &Year) -> Result<Option<i32>, Refusal> {
    let earlier = sqlx::query_scalar!(
        "select min(year) from fiscal_year where town = $1 and year < $2 and state <> 'CLOSED'",
        year.town,
        year.year,
    );
    Ok(earlier.fetch_one(sql).await?)
}

/// Proposes the end of a year; the next version.
pub(crate) async fn propose(
    sql: &mut PgConnection,
    year: &Year,
    actor: &Actor,
    day: Date,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update fiscal_year set state = 'CLOSING', proposed_by = $3, proposed_person = $4, proposed_on = $5::text::date,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and year = $2 returning version",
        year.town,
        year.year,
        actor.principal,
        actor.person,
        day.to_string(),
    );
    Ok(version.fetch_one(sql).await?)
}

/// Gives a proposal up; the next version.
pub(crate) async fn cancel(sql: &mut PgConnection, year: &Year) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update fiscal_year set state = 'OPEN', proposed_by = '', proposed_person = '', proposed_on = null,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and year = $2 returning version",
        year.town,
        year.year,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Approves the end of a year, which `operation` does; the next version.
pub(crate) async fn approve(
    sql: &mut PgConnection,
    year: &Year,
    (actor, day): (&Actor, Date),
    operation: Uuid,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update fiscal_year set approved_by = $3, approved_person = $4, approved_on = $5::text::date, operation = $6,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and year = $2 returning version",
        year.town,
        year.year,
        actor.principal,
        actor.person,
        day.to_string(),
        operation,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Hands an approved end to another operation; the next version.
pub(crate) async fn go_on(sql: &mut PgConnection, year: &Year, operation: Uuid) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update fiscal_year set operation = $3, version = version + 1, updated = clock_timestamp()
         where town = $1 and year = $2 returning version",
        year.town,
        year.year,
        operation,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Closes a year; the next version.
pub(crate) async fn close(sql: &mut PgConnection, year: &Year) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update fiscal_year set state = 'CLOSED', version = version + 1, updated = clock_timestamp()
         where town = $1 and year = $2 returning version",
        year.town,
        year.year,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Lets go the holds of a year whose last day is over.
pub(crate) async fn expire_due(sql: &mut PgConnection, year: &Year, today: Date) -> Result<(), Refusal> {
    sqlx::query!(
        "update hold h set state = 'EXPIRED', resolved_on = $3::text::date, version = h.version + 1, updated = clock_timestamp()
         from account a
         where h.town = $1 and a.town = h.town and a.id = h.account and a.fiscal_year = $2 and h.state = 'HELD' and h.expires_on < $3::text::date",
        year.town,
        year.year,
        today.to_string(),
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Something that stands in the way of a year's end.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Obstacle {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) amount_fen: i64,
    /// How many there are in all.
    pub(crate) many: i64,
}

/// What stands in the way of the end of a year, `most` of it.
pub(crate) async fn obstacles(
    sql: &mut PgConnection,
    town: &str,
    year: i32,
    most: i64,
) -> Result<Vec<Obstacle>, Refusal> {
    let rows = sqlx::query_as!(
        Obstacle,
        r#"select o.kind as "kind!", o.name as "name!", o.subject as "subject!", o.amount_fen as "amount_fen!", count(*) over () as "many!"
           from (select 'EXPENSE' as kind, 'towns/' || x.town || '/expenses/' || x.id as name, '' as subject, x.amount_fen
                     from expense x where x.town = $1 and x.fiscal_year = $2 and x.state = any($4)
                 union all select 'HOLD', 'towns/' || h.town || '/holds/' || h.id, h.subject, h.amount_fen
                     from hold h join account a on a.town = h.town and a.id = h.account
                     where h.town = $1 and a.fiscal_year = $2 and h.state = 'HELD'
                         and not exists (select from expense x where x.town = h.town and x.hold = h.id)
                 union all select 'ALLOCATION_RUN', 'towns/' || r.town || '/allocationRuns/' || r.id, '', 0
                     from allocation_run r where r.town = $1 and r.fiscal_year = $2 and r.state not in ('RELEASED', 'REJECTED', 'CANCELLED')) o
           order by o.kind, o.name limit $3"#,
        town,
        year,
        most,
        &moving_states(),
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Fund and class of the columns of an account, its earmark without an id; none for an account that a year's end doesn't ask about.
fn class(kind: &str, fund: &str, earmark: &str) -> Result<Option<(Fund, Class)>, Refusal> {
    let earmark = match earmark {
        "carried" => Some(Earmark::Carried),
        "project" => Some(Earmark::Project(String::new())),
        "delegation" => Some(Earmark::Delegation(String::new())),
        _ => None,
    };
    let (kind, fund) = (named::<AccountKind>(kind)?, named::<Fund>(fund)?);
    let key = Key { kind, fund, fiscal_year: 0, committee: None, earmark, category: None };
    Ok(Class::of(&key).map(|class| (fund, class)))
}

/// What is left in a year, by fund and class.
pub(crate) async fn left(sql: &mut PgConnection, town: &str, year: i32) -> Result<Vec<Left>, Refusal> {
    let rows = sqlx::query!(
        r#"select kind, fund, split_part(coalesce(earmark, ''), ':', 1) as "earmark!", count(*) as "many!", sum(balance_fen)::bigint as "left!"
           from account where town = $1 and fiscal_year = $2 and kind in ('COMMITTEE', 'POOL', 'TASK') and balance_fen <> 0
           group by 1, 2, 3 order by 1, 2, 3"#,
        town,
        year,
    );
    let mut all = Vec::new();
    for row in rows.fetch_all(sql).await? {
        let class = class(&row.kind, &row.fund, &row.earmark)?;
        all.extend(class.map(|(fund, class)| (fund, class, row.many, Fen::of(row.left))));
    }
    Ok(all)
}

/// What the end of a year has done, by fund and class.
pub(crate) async fn done(
    sql: &mut PgConnection,
    town: &str,
    year: i32,
) -> Result<Vec<(Left, Fate)>, Refusal> {
    let rows = sqlx::query!(
        r#"select a.kind, a.fund, split_part(coalesce(a.earmark, ''), ':', 1) as "earmark!", e.kind = 'CARRY_OVER' as "carried!",
                  count(*) as "many!", -sum(p.amount_fen)::bigint as "left!"
           from entry e join posting p on p.town = e.town and p.entry = e.id and p.amount_fen < 0
               join account a on a.town = p.town and a.id = p.account
           where e.town = $1 and e.subject = $2 group by 1, 2, 3, 4 order by 1, 2, 3, 4"#,
        town,
        year_name(town, year),
    );
    let mut all = Vec::new();
    for row in rows.fetch_all(sql).await? {
        let fate = if row.carried { Fate::Carried } else { Fate::Returned };
        let class = class(&row.kind, &row.fund, &row.earmark)?;
        all.extend(class.map(|(fund, class)| ((fund, class, row.many, Fen::of(row.left)), fate)));
    }
    Ok(all)
}

/// The next accounts of a year with something left, after `after`, by id.
pub(crate) async fn next(
    sql: &mut PgConnection,
    (town, year): (&str, i32),
    after: Uuid,
    most: i64,
) -> Result<Vec<Account>, Refusal> {
    let rows = sqlx::query!(
        "select id, kind, fund, fiscal_year, committee, earmark, balance_fen, held_fen from account
         where town = $1 and fiscal_year = $2 and id > $3 and kind in ('COMMITTEE', 'POOL', 'TASK') and balance_fen <> 0
         order by id limit $4",
        town,
        year,
        after,
        most,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        Ok(Account {
            id: row.id,
            key: Key {
                kind: named(&row.kind)?,
                fund: named(&row.fund)?,
                fiscal_year: row.fiscal_year,
                committee: row.committee,
                earmark: row.earmark.map(|text| text.parse()).transpose().map_err(Refusal::internal)?,
                category: None,
            },
            balance: Fen::of(row.balance_fen),
            held: Fen::of(row.held_fen),
        })
    });
    rows.collect()
}

/// How many accounts of a year have something left.
pub(crate) async fn remaining(sql: &mut PgConnection, town: &str, year: i32) -> Result<i64, Refusal> {
    let many = sqlx::query_scalar!(
        r#"select count(*) as "many!" from account
           where town = $1 and fiscal_year = $2 and kind in ('COMMITTEE', 'POOL', 'TASK') and balance_fen <> 0"#,
        town,
        year,
    );
    Ok(many.fetch_one(sql).await?)
}

/// The names of states, for a filter.
pub(crate) const STATES: &[&str] = State::NAMES;
