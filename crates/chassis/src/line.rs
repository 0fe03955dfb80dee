//! A line of days in a `*_period` table, whatever its facts are: one way to read, splice and carry it.
//!
//! The facts are a struct whose fields are the table's columns, so that a new aggregate declares them once.

use std::collections::HashMap;

use jiff::civil::Date;
use kernel::{
    name::CommitteeName,
    periods::{Believed, Period, Splice},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{AssertSqlSafe, PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    history::{bounds, close, period},
    refusal::Refusal,
};

/// A head table and its `*_period` table: `estate` and `estate_period`.
#[derive(Debug)]
pub struct Line {
    /// The head table, and the column by which the periods name it.
    pub head: &'static str,
    /// The table of periods.
    pub table: &'static str,
    /// The columns of the facts.
    pub columns: &'static [&'static str],
}

impl Line {
    /// The line that is believed now.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn believed<F: DeserializeOwned>(
        &self,
        sql: &mut PgConnection,
        town: &str,
        id: &str,
    ) -> Result<Vec<Believed<Uuid, F>>, Refusal> {
        let Line { head, table, .. } = self;
        let statement = format!(
            "select id, lower(valid)::text, upper(valid)::text, to_jsonb(p) from {table} p
             where town = $1 and {head} = $2 and upper_inf(recorded) order by valid"
        );
        let rows: Vec<(Uuid, String, Option<String>, serde_json::Value)> =
            sqlx::query_as(AssertSqlSafe(statement)).bind(town).bind(id).fetch_all(sql).await?;
        rows.into_iter()
            .map(|(id, from, to, facts)| {
                let value = serde_json::from_value(facts).map_err(Refusal::internal)?;
                Ok(Believed { id, period: period(&from, to.as_deref())?, value })
            })
            .collect()
    }

    /// The lines of many heads that are believed now, by head: one probe of the index for each.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn all_believed<F: DeserializeOwned>(
        &self,
        sql: &mut PgConnection,
        town: &str,
        ids: &[String],
    ) -> Result<HashMap<String, Vec<Believed<Uuid, F>>>, Refusal> {
        let Line { head, table, .. } = self;
        let statement = format!(
            "select asked.id, p.id, lower(p.valid)::text, upper(p.valid)::text, p.facts
             from unnest($2::text[]) as asked (id) cross join lateral (
                 select p.id, p.valid, to_jsonb(p) as facts from {table} p
                 where p.town = $1 and p.{head} = asked.id and upper_inf(p.recorded) order by p.valid) as p"
        );
        let rows: Vec<(String, Uuid, String, Option<String>, serde_json::Value)> =
            sqlx::query_as(AssertSqlSafe(statement)).bind(town).bind(ids).fetch_all(sql).await?;
        let mut lines: HashMap<String, Vec<Believed<Uuid, F>>> = HashMap::new();
        for (head, id, from, to, facts) in rows {
            let value = serde_json::from_value(facts).map_err(Refusal::internal)?;
            let row = Believed { id, period: period(&from, to.as_deref())?, value };
            lines.entry(head).or_default().push(row);
        }
        Ok(lines)
    }

    /// Begins rows of many heads, each with its id, at one instant.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn begin_all<F: Serialize>(
        &self,
        sql: &mut PgConnection,
        town: &str,
        rows: &[(String, Believed<Uuid, F>)],
        at: &str,
    ) -> Result<(), Refusal> {
        let Line { head, table, .. } = self;
        let columns = self.columns.join(", ");
        let facts = self.columns.iter().map(|name| format!("facts.{name}")).collect::<Vec<_>>().join(", ");
        let statement = format!(
            "insert into {table} (town, id, {head}, valid, recorded, {columns})
             select $1, new.id, new.head, daterange(new.starts::date, new.ends::date), tstzrange($2::text::timestamptz, null), {facts}
             from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[]) as new (id, head, starts, ends, facts)
             cross join lateral jsonb_populate_record(null::{table}, new.facts) as facts"
        );
        let (starts, ends): (Vec<String>, Vec<Option<String>>) =
            rows.iter().map(|(_, row)| bounds(row.period)).unzip();
        sqlx::query(AssertSqlSafe(statement))
            .bind(town)
            .bind(at)
            .bind(rows.iter().map(|(_, row)| row.id).collect::<Vec<_>>())
            .bind(rows.iter().map(|(head, _)| head.as_str()).collect::<Vec<_>>())
            .bind(starts)
            .bind(ends)
            .bind(rows.iter().map(|(_, row)| Json(&row.value)).collect::<Vec<_>>())
            .execute(sql)
            .await?;
        Ok(())
    }

    /// Writes what is believed instead; yields the ids of the new rows, in the order of the splice.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn write<F: Serialize>(
        &self,
        sql: &mut PgConnection,
        town: &str,
        id: &str,
        splice: &Splice<Uuid, F>,
        at: &str,
        reason: &str,
    ) -> Result<Vec<Uuid>, Refusal> {
        close(sql, self.table, town, splice, at).await?;
        let Line { head, table, .. } = self;
        let columns = self.columns.join(", ");
        let statement = format!(
            "insert into {table} (town, id, {head}, valid, recorded, reason, {columns})
             select $1, $2, $3, daterange($4::text::date, $5::text::date), tstzrange($6::text::timestamptz, null), $7, {columns}
             from jsonb_populate_record(null::{table}, $8)"
        );
        let mut ids = Vec::with_capacity(splice.insert.len());
        for (period, facts) in &splice.insert {
            let ((from, to), new) = (bounds(*period), Uuid::now_v7());
            sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(town)
                .bind(new)
                .bind(id)
                .bind(from)
                .bind(to)
                .bind(at)
                .bind(reason)
                .bind(Json(facts))
                .execute(&mut *sql)
                .await?;
            ids.push(new);
        }
        Ok(ids)
    }

    /// The version of a head, which is locked until the end of the transaction.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn lock(
        &self,
        sql: &mut PgConnection,
        town: &str,
        id: &str,
    ) -> Result<Option<(Period, i64)>, Refusal> {
        let head = self.head;
        let statement = format!(
            "select lower(life)::text, upper(life)::text, version from {head} where town = $1 and id = $2 for update"
        );
        let row: Option<(String, Option<String>, i64)> =
            sqlx::query_as(AssertSqlSafe(statement)).bind(town).bind(id).fetch_optional(sql).await?;
        row.map(|(from, to, version)| Ok((period(&from, to.as_deref())?, version))).transpose()
    }

    /// The next version of a head.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn bump(&self, sql: &mut PgConnection, town: &str, id: &str) -> Result<i64, Refusal> {
        let head = self.head;
        let statement = format!(
            "update {head} set version = version + 1, updated = clock_timestamp() where town = $1 and id = $2 returning version"
        );
        Ok(sqlx::query_scalar(AssertSqlSafe(statement)).bind(town).bind(id).fetch_one(sql).await?)
    }

    /// Which ids have a period of `column = value` on `day` or later, locked in the order of their ids.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn lock_where(
        &self,
        sql: &mut PgConnection,
        town: &str,
        column: &'static str,
        value: &str,
        day: Date,
    ) -> Result<Vec<String>, Refusal> {
        let Line { head, table, .. } = self;
        let statement = format!(
            "select h.id from {head} h where h.town = $1 and exists (select from {table} p where p.town = h.town and p.{head} = h.id
                and upper_inf(p.recorded) and p.{column} = $2 and p.valid && daterange($3::text::date, null))
             order by h.id for update of h"
        );
        let ids = sqlx::query_scalar(AssertSqlSafe(statement)).bind(town).bind(value).bind(day.to_string());
        Ok(ids.fetch_all(sql).await?)
    }

    /// From `day` on, everything of committee `from` is of `into` (or only what is named in `only`); what was before stays
    /// readable. In one statement, because a committee has many buildings. Yields the ids with their next versions.
    ///
    /// # Errors
    /// What Postgres answered.
    pub async fn carry(
        &self,
        sql: &mut PgConnection,
        carry: &Carry<'_>,
        only: Option<&[String]>,
        at: &str,
    ) -> Result<Vec<(String, i64)>, Refusal> {
        let Line { head, table, .. } = self;
        let columns = self.columns.join(", ");
        let carried = self.columns.iter().map(|name| if *name == "committee" { "$3" } else { name });
        let carried = carried.collect::<Vec<_>>().join(", ");
        let statement = format!(
            "with closed as (
                 update {table} set recorded = tstzrange(lower(recorded), $5::text::timestamptz)
                 where town = $1 and committee = $2 and upper_inf(recorded) and valid && daterange($4::text::date, null)
                     and ($7::text[] is null or {head} = any($7)) returning *),
             carried as (
                 insert into {table} (town, id, {head}, valid, recorded, reason, {columns})
                 select town, gen_random_uuid(), {head}, valid * daterange($4::text::date, null), tstzrange($5::text::timestamptz, null), $6, {carried}
                 from closed
                 union all
                 select town, gen_random_uuid(), {head}, valid * daterange(null, $4::text::date), tstzrange($5::text::timestamptz, null), reason, {columns}
                 from closed where not isempty(valid * daterange(null, $4::text::date))),
             bumped as (
                 update {head} set version = version + 1, updated = clock_timestamp()
                 where town = $1 and id in (select {head} from closed) returning id, version)
             select id, version from bumped order by id"
        );
        let bumped = sqlx::query_as(AssertSqlSafe(statement))
            .bind(carry.from.town())
            .bind(carry.from.committee())
            .bind(carry.into.committee())
            .bind(carry.day.to_string())
            .bind(at)
            .bind(carry.comment)
            .bind(only);
        Ok(bumped.fetch_all(sql).await?)
    }
}

/// What goes over from one committee to another, from which day on, and why.
#[derive(Clone, Copy, Debug)]
pub struct Carry<'a> {
    /// From which committee.
    pub from: &'a CommitteeName,
    /// To which.
    pub into: &'a CommitteeName,
    /// From which day on.
    pub day: Date,
    /// Why.
    pub comment: &'a str,
}
