//! `residents.csv`: a person and where he is registered, in one row. Names, identity numbers and birth dates never come
//! back in a fault; an export has stars unless clear text was asked for.

mod set;

use chassis::{
    identity::Scope,
    imports::{Applied, Export, Outcomes, RowError, Sheet, Tables},
    refusal::{ALREADY_EXISTS, Refusal},
    work::{Change, Work},
};
use jiff::civil::Date;
use kernel::{
    ids::CitizenId,
    name::{HouseholdName, PersonName, TownName},
    periods::{Believed, Period, Splice},
};
use tabular::{Cells, Column, Fault, Field, Row};

use uuid::Uuid;

use super::{column, id, personal};
use crate::{
    as_of::AsOf,
    household,
    person::{
        self,
        acts::{NAME_CHARS, New},
        sealed::Clear,
    },
    residence::{
        acts::{Told, lock_as, write},
        rules::{self, GROUNDS},
        store::{self, Facts},
    },
};

pub(super) struct Residents;

const COLUMNS: &[Column] = &[
    column("code"),
    personal("name"),
    column("sex"),
    personal("birth_date"),
    personal("citizen_id"),
    column("household"),
    column("ground"),
    column("from"),
    column("to"),
];

struct Line {
    new: New,
    household: HouseholdName,
    ground: &'static str,
    period: Period,
}

fn read(town: &TownName, row: &Row, today: Date) -> Result<Line, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let code = id(&mut cells, "code");
    let full_name =
        cells.parsed("name", |text| kernel::text::display_name(text, NAME_CHARS).map(str::to_owned));
    let sex = cells.optional_one_of("sex", &["M", "F"]);
    let (birth, citizen) = (cells.date("birth_date"), cells.parsed("citizen_id", CitizenId::parse));
    if birth.zip(citizen.as_ref()).is_some_and(|(birth, citizen)| citizen.birth_date() != birth) {
        cells.fault("birth_date", "MISMATCH", "与公民身份号码不符", "not that of the identity number");
    }
    if citizen.as_ref().is_some_and(|citizen| citizen.birth_date() > today) {
        cells.fault("birth_date", "FUTURE_DATE", "晚于今天", "after today");
    }
    let (household, ground) = (id(&mut cells, "household"), cells.one_of("ground", GROUNDS));
    let period = period(&mut cells, citizen.as_ref());
    let all = code.zip(full_name).zip(sex).zip(citizen).zip(household).zip(ground).zip(period);
    let ((((((code, full_name), sex), citizen), household), ground), period) = cells.finish(all)?;
    let sex = match sex {
        "M" => "MALE",
        "F" => "FEMALE",
        _ => "",
    };
    let name = PersonName::new(town.town(), code).map_err(|_| Vec::new())?;
    let household = HouseholdName::new(town.town(), household).map_err(|_| Vec::new())?;
    Ok(Line { new: New { name, clear: Clear { full_name, citizen }, sex }, household, ground, period })
}

fn period(cells: &mut Cells<'_>, citizen: Option<&CitizenId>) -> Option<Period> {
    let (from, to) = cells.date("from").zip(cells.optional_date("to"))?;
    if citizen.is_some_and(|citizen| citizen.birth_date() > from) {
        cells.fault("from", "BEFORE_BIRTH", "早于出生日期", "before the date of birth");
        return None;
    }
    let period = Period::new(from, to).ok();
    if period.is_none() {
        cells.fault("to", "ORDER", "应晚于 from", "should be after from");
    }
    period
}

fn no_household(row: &Row, line: &Line) -> Vec<Fault> {
    let (zh, en) = ("没有这一户", "there is no such household");
    vec![Fault::at(row.number, "household", line.household.household(), "UNKNOWN_PARENT", zh, en)]
}

/// Whether a row changes name or sex of a person; the identity number never changes.
fn differs(row: &Row, line: &Line, clear: &Clear, sex: &str) -> Result<bool, Vec<Fault>> {
    if clear.citizen != line.new.clear.citizen {
        let (zh, en) = ("公民身份号码不能由导入改变", "the identity number never changes by import");
        return Err(vec![Fault::at(row.number, "citizen_id", "", "NEVER_CHANGES", zh, en)]);
    }
    Ok(*clear != line.new.clear || sex != line.new.sex)
}

/// What a row changes of where a person is registered; nothing when that is believed already.
fn moves_in(
    row: &Row,
    line: &Line,
    believed: &[Believed<Uuid, Facts>],
) -> Result<Option<Splice<Uuid, Facts>>, Vec<Fault>> {
    let facts = Facts { household: line.household.household().to_owned(), ground: line.ground.to_owned() };
    if believed.iter().any(|row| row.period == line.period && row.value == facts) {
        return Ok(None);
    }
    rules::move_in(believed, line.period, facts).map(Some).map_err(|days| {
        let (zh, en) = (format!("{days} 已有登记"), format!("registered already on {days}"));
        vec![Fault::at(row.number, "from", "", "RESIDENCE_OVERLAP", zh, en)]
    })
}

/// What an import tells of a residence.
fn told(line: &Line) -> Told<'_> {
    let (household, day) = (line.household.household(), line.period.from());
    Told { verb: "import", event: "residence.began", household, day, comment: "" }
}

/// What the changes of a row make of it.
fn applied(new: bool, changes: Vec<Change>) -> Applied {
    match (new, changes.is_empty()) {
        (true, _) => Applied::Created(changes),
        (false, false) => Applied::Updated(changes),
        (false, true) => Applied::Unchanged,
    }
}

/// The person, new or as it was; the changes of name and sex.
async fn person(work: &mut Work, row: &Row, line: &Line) -> Result<(bool, Vec<Change>), RowError> {
    let (new, vault) = (&line.new, work.vault().clone());
    let today = work.call().today();
    let mut found = person::store::get(work.sql(), &new.name, &Scope::Town, today).await?;
    if found.is_none() {
        match new.store(work, "import").await {
            Ok(change) => return Ok((true, vec![change])),
            // another call has just recorded the same person
            Err(refusal) if std::ptr::eq(refusal.reason(), &ALREADY_EXISTS) => {
                found = person::store::get(work.sql(), &new.name, &Scope::Town, today).await?;
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let found = found.ok_or_else(|| Refusal::internal(format!("{} vanished", new.name)))?;
    let clear = person::encode::open(&vault, &found)?;
    if !differs(row, line, &clear, &found.sex)? {
        return Ok((false, Vec::new()));
    }
    person::store::lock(work.sql(), &new.name).await?;
    let sealed = new.clear.seal(&vault, &new.name)?;
    let version = person::store::update(work.sql(), &new.name, new.sex, &sealed).await?;
    Ok((false, vec![person::acts::change(&new.name, version, "import")]))
}

/// The residence, unless it is believed already.
async fn residence(work: &mut Work, row: &Row, line: &Line) -> Result<Option<Change>, RowError> {
    let locked = lock_as(work, line.new.name.clone()).await?;
    let Some(splice) = moves_in(row, line, &locked.line)? else { return Ok(None) };
    Ok(Some(write(work, &locked, &splice, told(line)).await?.1))
}

#[tonic::async_trait]
impl Sheet for Residents {
    fn name(&self) -> &'static str {
        "residents"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the person's id",
            "the full name",
            "M, F or nothing",
            "that of the identity number",
            "18 characters (GB 11643-1999)",
            "the household's id",
            "REGISTERED 户籍 or RESIDENCE_PERMIT 居住证",
            "the first day",
            "the first day no longer, or nothing",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        None
    }
    fn requires(&self) -> &'static [&'static str] {
        &["households"]
    }
    fn clear_permission(&self) -> Option<&'static str> {
        Some("governance.people.reveal")
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let line = read(town, row, work.call().today())?;
        let household = [line.household.household().to_owned()];
        if household::store::sets::existing(work.sql(), town.town(), &household).await?.is_empty() {
            return Err(no_household(row, &line).into());
        }
        let (new, mut changes) = person(work, row, &line).await?;
        changes.extend(residence(work, row, &line).await?);
        Ok(applied(new, changes))
    }

    fn takes_sets(&self) -> bool {
        true
    }

    async fn apply_set(
        &self,
        work: &mut Work,
        town: &TownName,
        rows: &[Row],
        _: &Tables,
    ) -> Result<Option<Outcomes>, Refusal> {
        set::apply(work, town, rows).await
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let filter = kernel::filter::Predicate::And(Vec::new());
        let (scope, as_of, town) = (Scope::Town, AsOf::now(export.day), export.town.town());
        let asked = store::Asked {
            town,
            scope: &scope,
            today: export.day,
            as_of: &as_of,
            filter: &filter,
            after: export.after.as_ref().and_then(|after| Uuid::parse_str(after).ok()),
            limit: export.limit(),
        };
        let mut views = store::list(export.sql, &asked).await?;
        export.cut(&mut views, |view| view.id.to_string());
        let ids: Vec<String> = views.iter().map(|view| view.person.clone()).collect();
        let people = person::store::many(export.sql, town, &ids).await?;
        let row = |view: store::View| {
            let found = people.get(&view.person);
            let found = found.ok_or_else(|| Refusal::internal(format!("{} vanished", view.person)))?;
            let clear = person::encode::open(export.vault, found)?;
            Ok(cells(export.clear, view, &found.sex, &clear, clear.birth_date()))
        };
        views.into_iter().map(row).collect()
    }
}

fn cells(in_clear: bool, view: store::View, sex: &str, clear: &Clear, birth: Date) -> Vec<Field> {
    let personal = if in_clear {
        [clear.full_name.clone(), birth.to_string(), clear.citizen.reveal().to_owned()]
    } else {
        [clear.masked_name(), String::new(), clear.citizen.masked()]
    };
    let [full_name, birth, citizen] = personal.map(Field::Text);
    vec![
        Field::Text(view.person),
        full_name,
        Field::Text(sex.chars().take(1).collect()),
        birth,
        citizen,
        Field::Text(view.household),
        Field::Text(view.ground),
        Field::Text(view.starts),
        Field::Text(view.ends.unwrap_or_default()),
    ]
}
