//! `bodies.csv`: a new body begins with the earliest term that the same import brings for it.

use chassis::{
    identity::Scope,
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    state::transition,
    work::Work,
};
use jiff::civil::Date;
use kernel::{
    name::{BodyName, TownName},
    periods::{Period, amend},
};
use serde_json::json;
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id, memberships, name};
use crate::{
    body::{
        acts::{New, SEATS, change, lock_as, need_vacant_above},
        rules::{Facts, LEVELS, TABLE, Verb, first_day},
        store::{self, Head, LINE},
    },
    listing::Asked,
    store::stamp,
};

pub(super) struct Bodies;

const COLUMNS: &[Column] = &[
    column("code"),
    column("level"),
    column("owner"),
    column("kind"),
    column("name"),
    column("seats"),
    column("quorum"),
];

struct Line {
    name: BodyName,
    level: &'static str,
    kind: String,
    facts: Facts,
}

fn read(town: &TownName, row: &Row) -> Result<Line, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (code, level) = (id(&mut cells, "code"), cells.one_of("level", LEVELS));
    let owner = id(&mut cells, "owner");
    if level == Some("TOWN") && owner.as_deref().is_some_and(|owner| owner != town.town()) {
        let id = town.town();
        cells.fault("owner", "ANOTHER_TOWN", format!("应为 {id}"), format!("should be {id}"));
    }
    let (kind, display_name) = (cells.text("kind"), name(&mut cells, "name"));
    let (seats, quorum) = (cells.integer("seats", SEATS), cells.integer("quorum", SEATS));
    if seats.zip(quorum).is_some_and(|(seats, quorum)| quorum > seats) {
        cells.fault("quorum", "OUT_OF_RANGE", "不能超过席位", "within the seats");
    }
    let all = code.zip(level).zip(owner).zip(kind).zip(display_name).zip(seats).zip(quorum);
    let ((((((code, level), owner), kind), display_name), seats), quorum) = cells.finish(all)?;
    let name = BodyName::new(town.town(), code).map_err(|_| Vec::new())?;
    let at = |wanted: &str| (level == wanted).then(|| owner.clone());
    let facts = Facts {
        display_name,
        seats: i32::try_from(seats).unwrap_or(i32::MAX),
        quorum: i32::try_from(quorum).unwrap_or(i32::MAX),
        community: at("COMMUNITY"),
        committee: at("COMMITTEE"),
        estate: at("ESTATE"),
    };
    Ok(Line { name, level, kind, facts })
}

async fn found(work: &mut Work, line: Line, all: &Tables) -> Result<Applied, RowError> {
    let today = work.call().today();
    let terms: Vec<Date> = memberships::begins_of(line.name.body(), all);
    let life = Period::since(first_day(terms, today));
    let new =
        New { name: line.name, head: Head { level: line.level, kind: line.kind, life }, facts: line.facts };
    Ok(Applied::Created(vec![new.store(work, &Scope::Town, "import").await?]))
}

#[tonic::async_trait]
impl Sheet for Bodies {
    fn name(&self) -> &'static str {
        "bodies"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the body's id",
            "TOWN, COMMUNITY, COMMITTEE or ESTATE",
            "the id of the town, community, committee or estate",
            "one of ListBodyKinds, allowed at its level",
            "the name as shown",
            "seats",
            "members who must be present",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &["communities", "committees", "estates"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        all: &Tables,
    ) -> Result<Applied, RowError> {
        let line = read(town, row)?;
        let Some(locked) = lock_as(work, line.name.clone()).await? else {
            return found(work, line, all).await;
        };
        let head = store::head(work.sql(), &line.name).await?;
        let owner = |facts: &Facts| (facts.community.clone(), facts.committee.clone(), facts.estate.clone());
        let today = work.call().today();
        let last = locked.life.to().and_then(|to| to.yesterday().ok()).unwrap_or(today);
        let day = today.min(last).max(locked.life.from());
        // a row speaks of today: what is due later stays as it is, but for the fields that the row changes
        let now = locked.line.iter().find(|row| row.period.contains(day)).map(|row| row.value.clone());
        let now = now.ok_or_else(|| Refusal::internal(format!("{} is nothing on {day}", line.name)))?;
        if head != Some((line.level.to_owned(), line.kind)) || owner(&now) != owner(&line.facts) {
            let (zh, en) = ("层级、归属与类型不能由导入改变", "level, owner and kind never change by import");
            return Err(vec![Fault::at(row.number, "kind", "", "NEVER_CHANGES", zh, en)].into());
        }
        let splice = amend(&locked.line, Period::since(day), |later| Facts {
            display_name: if now.display_name == line.facts.display_name {
                later.display_name.clone()
            } else {
                line.facts.display_name.clone()
            },
            seats: if now.seats == line.facts.seats { later.seats } else { line.facts.seats },
            quorum: if now.quorum == line.facts.quorum { later.quorum } else { line.facts.quorum },
            ..later.clone()
        });
        if splice.is_empty() {
            return Ok(Applied::Unchanged);
        }
        transition(&TABLE, &line.name.to_string(), locked.state, Verb::Update)?;
        need_vacant_above(work, &locked, line.facts.seats, day).await?;
        let at = stamp(work.sql()).await?;
        LINE.write(work.sql(), town.town(), line.name.body(), &splice, &at, "").await?;
        let data = json!({"body": line.name.to_string()});
        Ok(Applied::Updated(vec![change(work, &locked, Verb::Update, ("body.updated", ""), data).await?]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let asked = Asked::all(export.town.town(), export.day);
        let rows = store::list(export.sql, &asked).await?.into_iter().map(|view| {
            let owner = view.community.or(view.committee).or(view.estate).unwrap_or(view.town);
            vec![
                Field::Text(view.id),
                Field::Text(view.level),
                Field::Text(owner),
                Field::Text(view.kind),
                Field::Text(view.display_name),
                Field::Number(view.seats.into()),
                Field::Number(view.quorum.into()),
            ]
        });
        Ok(rows.collect())
    }
}
