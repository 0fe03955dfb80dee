//! What the import is measured against: COPY of the same rows, in clear, into ordinary tables: `heap` has the columns and
//! nothing else, `plain` the keys, indexes and exclusion constraints of the real ones too, but no foreign keys.

use std::{fmt::Write, time::Duration, time::Instant};

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    Done,
    synthetic::{Household, Resident},
};

/// The tables.
pub(crate) const TABLES: &str = "
    create schema heap; create schema plain;
    create table plain.household (like governance.household including all);
    create table plain.residence (like governance.residence including all);
    create table plain.person (
        town text not null, id text not null, sex text not null default '' check (sex in ('', 'MALE', 'FEMALE')),
        name text not null, citizen text not null, birth date not null, version bigint not null default 1,
        created timestamptz not null default clock_timestamp(), updated timestamptz not null default clock_timestamp(),
        primary key (town, id), unique (town, citizen));
    create index on plain.person (town, name, id);
    create table heap.household (like plain.household including defaults);
    create table heap.residence (like plain.residence including defaults);
    create table heap.person (like plain.person including defaults)";

/// Rows as COPY takes them: household; person and residence.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    household: String,
    person: String,
    residence: String,
}

impl Rows {
    pub(crate) fn household(&mut self, row: &Household) {
        let Household { id, building, door, occupancy } = row;
        let _ = writeln!(self.household, "malu\t{id}\t{building}\t{door}\t{occupancy}");
    }

    pub(crate) fn resident(&mut self, row: &Resident) {
        let Resident { id, name, sex, birth, citizen, household, ground, from } = row;
        let sex = if *sex == 'M' { "MALE" } else { "FEMALE" };
        let _ = writeln!(self.person, "malu\t{id}\t{sex}\t{name}\t{citizen}\t{birth}");
        let residence = uuid::Uuid::now_v7();
        let _ = writeln!(
            self.residence,
            "malu\t{residence}\t{id}\t{household}\t{ground}\t[{from},)\t[2020-06-01 00:00:00+08,)"
        );
    }

    /// Copies the rows; how long that took.
    pub(crate) async fn copy(&self, sql: &mut PgConnection, schema: &str) -> Done<Duration> {
        let begun = Instant::now();
        for (table, columns, rows) in [
            ("household", "town, id, building, door, occupancy", &self.household),
            ("person", "town, id, sex, name, citizen, birth", &self.person),
            ("residence", "town, id, person, household, ground, valid, recorded", &self.residence),
        ] {
            if rows.is_empty() {
                continue;
            }
            let statement = format!("copy {schema}.{table} ({columns}) from stdin");
            let mut copy = sql.copy_in_raw(AssertSqlSafe(statement).0.as_str()).await?;
            copy.send(rows.as_bytes()).await?;
            copy.finish().await?;
        }
        Ok(begun.elapsed())
    }
}
