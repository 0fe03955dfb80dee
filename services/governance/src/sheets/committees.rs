//! `committees.csv`: the columns of the statistics bureau's list and the town's own.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    state::transition,
    work::{Change, Work},
};
use jiff::civil::Date;
use kernel::{
    ids::AreaCode,
    name::{CommitteeName, TownName},
    periods::{Period, amend},
    state::Named,
};
use serde_json::json;
use tabular::{Cells, Column, Field, Row};

use super::{column, name, own_town};
use crate::{
    as_of::AsOf,
    committee::{
        edit::{self, New, Told},
        rules::{self, Facts, Patch, State, TABLE, Verb as Do},
        store::{self, Asked, Count},
    },
    store::stamp,
};

pub(super) struct Committees;

const COLUMNS: &[Column] = &[
    column("code"),
    column("town"),
    column("name"),
    column("kind"),
    column("community"),
    column("state"),
    column("preparation_started_on"),
    column("founded_on"),
    column("households"),
    column("households_as_of"),
    column("management_class"),
    column("difficulty"),
];

/// A row, read.
struct Line {
    new: New,
    state: State,
    count: Count,
}

fn read(town: &TownName, row: &Row, today: Date) -> Result<Line, Vec<tabular::Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    own_town(&mut cells, town);
    let code = cells.parsed("code", |text| AreaCode::parse(text).map(|code| code.as_str().to_owned()));
    let display_name = name(&mut cells, "name");
    let kind = cells.one_of("kind", &["RESIDENTS_COMMITTEE", "VILLAGERS_COMMITTEE"]);
    let community = super::id(&mut cells, "community");
    let state = cells.one_of("state", &["PREPARING", "FOUNDED", "MERGED", "DISSOLVED"]);
    let preparation = cells.optional_date("preparation_started_on");
    let founding = cells.optional_date("founded_on");
    let households = cells.integer("households", 0..=1_000_000);
    let valid_on = cells.date("households_as_of");
    let management_class = cells.optional_one_of("management_class", &["A", "B", "C"]);
    let difficulty = cells.optional_one_of("difficulty", &["NORMAL", "HARD"]);
    dates(&mut cells, state, preparation.flatten(), founding.flatten(), today);
    let all = code
        .zip(display_name)
        .zip(kind)
        .zip(community)
        .zip(state.and_then(State::from_name))
        .zip(preparation)
        .zip(founding);
    let all = all.zip(households).zip(valid_on).zip(management_class).zip(difficulty);
    let (
        (
            (
                (((((((code, display_name), kind), community), state), preparation), founding), households),
                valid_on,
            ),
            class,
        ),
        difficulty,
    ) = cells.finish(all)?;
    let facts = Facts {
        display_name,
        community,
        state: State::Preparing,
        management_class: class.to_owned(),
        difficulty: difficulty.to_owned(),
        merged_into: None,
    };
    let name = CommitteeName::new(town.town(), code).map_err(|_| Vec::new())?;
    let households = i32::try_from(households).unwrap_or(i32::MAX);
    let count = Count {
        valid_on,
        households,
        source: "declaration".to_owned(),
        reason: String::new(),
        reported_on: None,
    };
    Ok(Line { new: New { name, kind, preparation, founding, facts }, state, count })
}

/// Dates that belong to the state, in their order, none of them to come.
fn dates(
    cells: &mut Cells<'_>,
    state: Option<&str>,
    preparation: Option<Date>,
    founding: Option<Date>,
    today: Date,
) {
    if founding.is_some_and(|date| date > today) {
        cells.fault(
            "founded_on",
            "FUTURE_DATE",
            format!("晚于今天（{today}）"),
            format!("after today ({today})"),
        );
    }
    if let Some((preparation, founding)) = preparation.zip(founding)
        && preparation >= founding
    {
        cells.fault(
            "founded_on",
            "BAD_ORDER_OF_DATES",
            "应晚于筹建日期",
            "should be after the preparation began",
        );
    }
    match state {
        Some("FOUNDED") if founding.is_none() && cells.raw("founded_on").is_empty() => {
            cells.fault("founded_on", "REQUIRED", "已成立须填成立日期", "required for FOUNDED");
        }
        Some("PREPARING") if preparation.is_none() && cells.raw("preparation_started_on").is_empty() => {
            cells.fault("preparation_started_on", "REQUIRED", "筹建须填筹建日期", "required for PREPARING");
        }
        Some("PREPARING") if founding.is_some() => {
            cells.fault("founded_on", "NOT_EXPECTED", "筹建中不应有成立日期", "not expected for PREPARING");
        }
        _ => {}
    }
}

/// A committee that is there already: what differs is changed from today on.
async fn update(work: &mut Work, line: &Line) -> Result<Applied, RowError> {
    let locked = edit::lock_as(work, line.new.name.clone()).await?;
    let now = rules::on(&locked.line, work.call().today()).map(|facts| facts.state);
    if [State::Merged, State::Dissolved].contains(&line.state) {
        if now == Some(line.state) {
            return Ok(Applied::Unchanged);
        }
        let (zh, en) = ("并入与撤销不能由导入进行", "mergers and dissolutions are no work of an import");
        return Err(RowError::Faults(vec![tabular::Fault::at(0, "state", "", "NEVER_CHANGES", zh, en)]));
    }
    if locked.head.kind != line.new.kind || locked.head.preparation_start != line.new.preparation {
        let row = |column, zh, en| tabular::Fault::at(0, column, "", "NEVER_CHANGES", zh, en);
        return Err(RowError::Faults(vec![row(
            "kind",
            "性质与筹建日期不能由导入改变",
            "kind and preparation never change by import",
        )]));
    }
    let mut changes = Vec::new();
    let today = work.call().today();
    if line.state == State::Founded && locked.state == State::Preparing {
        let day = line.new.founding.unwrap_or(today);
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Found)?;
        let splice = rules::enter(&locked.line, day, to, None);
        let told =
            Told { verb: Do::Found, to, comment: "", event: "committee.founded", day, founding: Some(day) };
        changes.push(edit::write(work, &locked, &splice, told).await?.0);
    }
    let locked = edit::lock_as(work, line.new.name.clone()).await?;
    // a row speaks of today: what is due later stays as it is, but for the fields that the row changes
    let (now, new) = (rules::on(&locked.line, today), &line.new.facts);
    let differs = |of: fn(&rules::Facts) -> &String| (now.map(of) != Some(of(new))).then(|| of(new).clone());
    let patch = Patch {
        display_name: differs(|facts| &facts.display_name),
        community: differs(|facts| &facts.community),
        management_class: differs(|facts| &facts.management_class),
        difficulty: differs(|facts| &facts.difficulty),
    };
    let splice = amend(&locked.line, Period::since(today), |facts| patch.apply(facts));
    if !splice.is_empty() {
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Update)?;
        let told = Told {
            verb: Do::Update,
            to,
            comment: "",
            event: "committee.updated",
            day: today,
            founding: None,
        };
        changes.push(edit::write(work, &locked, &splice, told).await?.0);
    }
    changes.extend(count(work, line).await?);
    Ok(if changes.is_empty() { Applied::Unchanged } else { Applied::Updated(changes) })
}

/// The count of the row, when it isn't known yet.
async fn count(work: &mut Work, line: &Line) -> Result<Option<Change>, Refusal> {
    // a declaration that was known already says nothing new, also when it has been corrected since; nor does the number that
    // is believed, which is what an export shows without its source
    if store::was_counted(work.sql(), &line.new.name, &line.count).await? {
        return Ok(None);
    }
    let at = stamp(work.sql()).await?;
    store::record_count(work.sql(), &line.new.name, &line.count, &at).await?;
    let version = store::bump(work.sql(), &line.new.name, None).await?;
    Ok(Some(Change {
        resource: line.new.name.to_string(),
        version,
        verb: "count",
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: "committee.counted",
        data: json!({"committee": line.new.name.to_string(), "households": line.count.households, "valid_date": line.count.valid_on.to_string()}),
    }))
}

#[tonic::async_trait]
impl Sheet for Committees {
    fn name(&self) -> &'static str {
        "committees"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "twelve digits of the statistics bureau",
            "the town's id",
            "the name as shown",
            "RESIDENTS_COMMITTEE or VILLAGERS_COMMITTEE",
            "the community's id",
            "PREPARING or FOUNDED; MERGED or DISSOLVED only where that is so already",
            "when preparation began, or nothing",
            "when it was founded, or nothing",
            "declared households",
            "the day on which that number was valid",
            "A, B, C or nothing",
            "NORMAL, HARD or nothing",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &["communities"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let read = read(town, row, work.call().today());
        // the community is looked for even when other cells are wrong: all faults of a row at once
        let place = COLUMNS.iter().position(|column| column.name == "community").unwrap_or_default();
        let community = &row.cells[place];
        let known = !kernel::name::is_id(community)
            || store::has_community(work.sql(), town.town(), community).await?;
        let mut faults = Vec::new();
        if !known {
            let (zh, en) = ("不是本镇的社区", "not a community of this town");
            faults.push(tabular::Fault::at(row.number, "community", community, "UNKNOWN_PARENT", zh, en));
        }
        let line = match read {
            Ok(line) if faults.is_empty() => line,
            Ok(_) => return Err(faults.into()),
            Err(mut others) => {
                others.append(&mut faults);
                return Err(others.into());
            }
        };
        if store::exists(work.sql(), &line.new.name).await? {
            return update(work, &line).await;
        }
        let (change, _) = line.new.store(work, "import").await?;
        let mut changes = vec![change];
        changes.extend(count(work, &line).await?);
        Ok(Applied::Created(changes))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let filter = kernel::filter::Predicate::And(Vec::new());
        let as_of = AsOf::now(export.day);
        let asked = Asked {
            town: export.town.town(),
            scope: &chassis::identity::Scope::Town,
            as_of: &as_of,
            counted: None,
            filter: &filter,
            descending: false,
            after: None,
            limit: i64::MAX,
        };
        let text = |value: Option<String>| Field::Text(value.unwrap_or_default());
        let rows = store::list(export.sql, &asked).await?.into_iter().map(|view| {
            vec![
                Field::Text(view.id),
                Field::Text(view.town),
                Field::Text(view.display_name),
                Field::Text(view.kind),
                Field::Text(view.community),
                Field::Text(view.state),
                text(view.preparation_start),
                text(view.founding_date),
                view.count.map_or(Field::Text(String::new()), |count| Field::Number(count.into())),
                text(view.count_valid),
                Field::Text(view.management_class),
                Field::Text(view.difficulty),
            ]
        });
        Ok(rows.collect())
    }
}
