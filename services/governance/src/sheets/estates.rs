//! `estates.csv`: the property company by its credit code, as on its contract.

use chassis::{
    identity::Scope,
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::{
    name::{EstateName, TownName},
    periods::{Period, amend},
};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id, name};
use crate::{
    estate::{
        acts::{New, change},
        store::{self, Facts, LINE},
    },
    listing::Asked,
    organisation,
    store::stamp,
};

pub(super) struct Estates;

const COMPANY: &str = "property_company_credit_code";
const COLUMNS: &[Column] = &[column("code"), column("name"), column("committee"), column(COMPANY)];

struct Line {
    name: EstateName,
    display_name: String,
    committee: String,
    company: String,
}

fn read(town: &TownName, row: &Row) -> Result<Line, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (code, display_name) = (id(&mut cells, "code"), name(&mut cells, "name"));
    let (committee, company) = (id(&mut cells, "committee"), cells.raw(COMPANY).to_owned());
    let ((code, display_name), committee) = cells.finish(code.zip(display_name).zip(committee))?;
    let name = EstateName::new(town.town(), code).map_err(|_| Vec::new())?;
    Ok(Line { name, display_name, committee, company })
}

/// The organisation of a credit code; none when the cell is empty.
async fn company(work: &mut Work, row: &Row, line: &Line) -> Result<Option<String>, RowError> {
    if line.company.is_empty() {
        return Ok(None);
    }
    match organisation::store::by_code(work.sql(), line.name.town(), &line.company).await? {
        Some(id) => Ok(Some(id)),
        None => {
            let (zh, en) = ("没有该代码的组织", "no organisation has this code");
            Err(vec![Fault::at(row.number, COMPANY, &line.company, "UNKNOWN_PARENT", zh, en)].into())
        }
    }
}

#[tonic::async_trait]
impl Sheet for Estates {
    fn name(&self) -> &'static str {
        "estates"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the estate's id",
            "the name as shown",
            "the committee's code",
            "the credit code of its property company, or nothing",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &["committees", "organisations"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let line = read(town, row)?;
        let property_company = company(work, row, &line).await?;
        let Line { name, display_name, committee, .. } = line;
        let facts = Facts { display_name, committee, property_company };
        let Some((life, _)) = LINE.lock(work.sql(), town.town(), name.estate()).await? else {
            let new = New { name, facts, start: None };
            return Ok(Applied::Created(vec![new.store(work, &Scope::Town, "import").await?]));
        };
        let believed = LINE.believed::<Facts>(work.sql(), town.town(), name.estate()).await?;
        let day = work.call().today().max(life.from());
        // a row speaks of today: what is due later stays as it is, but for the fields that the row changes
        let now = believed.iter().find(|row| row.period.contains(day)).map(|row| row.value.clone());
        let now = now.ok_or_else(|| Refusal::internal(format!("{name} is nothing on {day}")))?;
        if now.committee != facts.committee {
            let (zh, en) = ("居委会不能由导入改变，用 :move", "the committee changes by :move alone");
            return Err(vec![Fault::at(row.number, "committee", "", "NEVER_CHANGES", zh, en)].into());
        }
        let (named, managed) =
            (now.display_name != facts.display_name, now.property_company != facts.property_company);
        let splice = amend(&believed, Period::since(day), |later| Facts {
            display_name: if named { facts.display_name.clone() } else { later.display_name.clone() },
            property_company: if managed {
                facts.property_company.clone()
            } else {
                later.property_company.clone()
            },
            committee: later.committee.clone(),
        });
        if splice.is_empty() {
            return Ok(Applied::Unchanged);
        }
        let at = stamp(work.sql()).await?;
        LINE.write(work.sql(), town.town(), name.estate(), &splice, &at, "").await?;
        let version = LINE.bump(work.sql(), town.town(), name.estate()).await?;
        let told = change(&name, version, "import", "estate.updated", &facts.committee, "");
        Ok(Applied::Updated(vec![told]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let asked = Asked::all(export.town.town(), export.day);
        let mut rows = Vec::new();
        for view in store::list(export.sql, &asked).await? {
            let code = match &view.property_company {
                Some(id) => organisation::store::code_of(export.sql, export.town.town(), id).await?,
                None => None,
            };
            rows.push(vec![
                Field::Text(view.id),
                Field::Text(view.display_name),
                Field::Text(view.committee),
                Field::Text(code.unwrap_or_default()),
            ]);
        }
        Ok(rows)
    }
}
