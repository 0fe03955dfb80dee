//! `organisations.csv`.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::{
    ids::CreditCode,
    name::{OrganisationName, TownName},
};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id, name};
use crate::{
    listing::Asked,
    organisation::{
        self, KINDS,
        store::{self, Facts},
    },
};

pub(super) struct Organisations;

const CODE: &str = "unified_social_credit_code";
const COLUMNS: &[Column] = &[column("code"), column("name"), column("kind"), column(CODE)];

fn read(town: &TownName, row: &Row) -> Result<(OrganisationName, Facts), Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (code, display_name) = (id(&mut cells, "code"), name(&mut cells, "name"));
    let kind = cells.one_of("kind", KINDS);
    let credit_code = if kind == Some("GROUP") && cells.raw(CODE).is_empty() {
        Some(None)
    } else {
        cells.parsed(CODE, |text| CreditCode::parse(text).map(|code| Some(code.to_string())))
    };
    let (((code, display_name), kind), credit_code) =
        cells.finish(code.zip(display_name).zip(kind).zip(credit_code))?;
    let name = OrganisationName::new(town.town(), code).map_err(|_| Vec::new())?;
    Ok((name, Facts { display_name, kind, credit_code }))
}

#[tonic::async_trait]
impl Sheet for Organisations {
    fn name(&self) -> &'static str {
        "organisations"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the organisation's id",
            "the name as shown",
            "PROPERTY_COMPANY, INSURER, SOCIAL_ORGANISATION, UNIT or GROUP",
            "18 characters (GB 32100-2015); only a GROUP may have none",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &[]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let (name, facts) = read(town, row)?;
        let Some(found) = store::get(work.sql(), &name, true).await? else {
            if store::create(work.sql(), &name, &facts).await? {
                return Ok(Applied::Created(vec![organisation::change(&name, 1, "import")]));
            }
            let (zh, en) = ("该代码已属于另一组织", "the code is another organisation's");
            return Err(vec![Fault::at(row.number, CODE, "", "REPEATED", zh, en)].into());
        };
        if found.credit_code != facts.credit_code {
            let (zh, en) = ("统一社会信用代码不能由导入改变", "the credit code never changes by import");
            return Err(vec![Fault::at(row.number, CODE, "", "NEVER_CHANGES", zh, en)].into());
        }
        if found.display_name == facts.display_name && found.kind == facts.kind {
            return Ok(Applied::Unchanged);
        }
        let version = store::update(work.sql(), &name, &facts.display_name, facts.kind).await?;
        Ok(Applied::Updated(vec![organisation::change(&name, version, "import")]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let rows = store::list(export.sql, &Asked::all(export.town.town(), export.day))
            .await?
            .into_iter()
            .map(|found| {
                vec![
                    Field::Text(found.id),
                    Field::Text(found.display_name),
                    Field::Text(found.kind),
                    Field::Text(found.credit_code.unwrap_or_default()),
                ]
            });
        Ok(rows.collect())
    }
}
