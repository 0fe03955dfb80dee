//! `communities.csv`.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::name::{CommunityName, TownName};
use tabular::{Cells, Column, Field, Row};

use super::{column, id, name, own_town};
use crate::community::{self, store};

pub(super) struct Communities;

const COLUMNS: &[Column] = &[column("town"), column("code"), column("name")];

#[tonic::async_trait]
impl Sheet for Communities {
    fn name(&self) -> &'static str {
        "communities"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &["the town's id", "the community's id", "the name as shown"]
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
        let mut cells = Cells::new(row, COLUMNS);
        own_town(&mut cells, town);
        let (code, display_name) = (id(&mut cells, "code"), name(&mut cells, "name"));
        let (code, display_name) = cells.finish(code.zip(display_name))?;
        let name = CommunityName::new(town.town(), code).map_err(Refusal::internal)?;
        if store::create(work.sql(), &name, &display_name).await? {
            return Ok(Applied::Created(vec![community::change(&name, 1, "import", "community.created")]));
        }
        let found = community::one(work.sql(), &name, &chassis::identity::Scope::Town, true).await?;
        if found.is_some_and(|found| found.display_name == display_name) {
            return Ok(Applied::Unchanged);
        }
        let version = store::update(work.sql(), &name, &display_name).await?;
        Ok(Applied::Updated(vec![community::change(&name, version, "import", "community.updated")]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let filter = kernel::filter::Predicate::And(Vec::new());
        let asked = store::Asked {
            town: export.town.town(),
            id: None,
            scope: &chassis::identity::Scope::Town,
            filter: &filter,
            descending: false,
            after: None,
            limit: i64::MAX,
            lock: false,
        };
        let rows = store::list(export.sql, &asked).await?;
        Ok(rows
            .into_iter()
            .map(|row| vec![Field::Text(row.town), Field::Text(row.id), Field::Text(row.display_name)])
            .collect())
    }
}
