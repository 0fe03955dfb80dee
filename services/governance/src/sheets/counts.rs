//! `household_counts.csv`: later counts and corrections.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::{Change, Work},
};
use kernel::name::{CommitteeName, TownName};
use serde_json::json;
use tabular::{Cells, Column, Field, Row};

use super::column;
use crate::{
    committee::{
        edit,
        store::{self, Count},
    },
    store::stamp,
};

pub(super) struct HouseholdCounts;

const COLUMNS: &[Column] = &[
    column("committee"),
    column("valid_on"),
    column("households"),
    column("recorded_on"),
    column("source"),
    Column { name: "reason", required: true, max_chars: 2_000, personal: false },
];

#[tonic::async_trait]
impl Sheet for HouseholdCounts {
    fn name(&self) -> &'static str {
        "household_counts"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the committee's code",
            "the day on which it was valid",
            "how many",
            "when it was reported to the town",
            "declaration, survey, correction",
            "why",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        None
    }
    fn requires(&self) -> &'static [&'static str] {
        &["committees"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let mut cells = Cells::new(row, COLUMNS);
        let committee = super::id(&mut cells, "committee");
        let valid_on = cells.date("valid_on");
        let households = cells.integer("households", 0..=1_000_000);
        let reported_on = cells.optional_date("recorded_on");
        let (source, reason) = (cells.raw("source").to_owned(), cells.raw("reason").to_owned());
        let (((committee, valid_on), households), reported_on) =
            cells.finish(committee.zip(valid_on).zip(households).zip(reported_on))?;
        let name = CommitteeName::new(town.town(), committee).map_err(Refusal::internal)?;
        let locked = edit::lock_as(work, name.clone()).await?;
        let count = Count {
            valid_on,
            households: i32::try_from(households).unwrap_or(i32::MAX),
            source,
            reason,
            reported_on,
        };
        let at = stamp(work.sql()).await?;
        if !store::record_count(work.sql(), &name, &count, &at).await? {
            return Ok(Applied::Unchanged);
        }
        let version = store::bump(work.sql(), &name, None).await?;
        let state = kernel::state::Named::name(locked.state);
        let change = Change {
            resource: name.to_string(),
            version,
            verb: "count",
            from_state: state,
            to_state: state,
            comment: count.reason.clone(),
            event: "committee.counted",
            data: json!({"committee": name.to_string(), "households": count.households, "valid_date": valid_on.to_string()}),
        };
        Ok(Applied::Created(vec![change]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let rows = store::all_counts(export.sql, export.town.town()).await?;
        let row = |(committee, count): (String, Count)| {
            vec![
                Field::Text(committee),
                Field::Text(count.valid_on.to_string()),
                Field::Number(count.households.into()),
                Field::Text(count.reported_on.map(|date| date.to_string()).unwrap_or_default()),
                Field::Text(count.source),
                Field::Text(count.reason),
            ]
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
