//! The demonstration's files, read without anything of the product: what the answers are held against.

use std::collections::{BTreeMap, BTreeSet};

use super::demo;

type Row = BTreeMap<String, String>;

/// The tables of the demonstration.
pub(super) struct Files {
    committees: Vec<Row>,
    counts: Vec<Row>,
    pub(super) stewardships: Vec<Row>,
    estates: Vec<Row>,
    buildings: Vec<Row>,
    pub(super) blocks: Vec<Row>,
    pub(super) households: Vec<Row>,
    residents: Vec<Row>,
    pub(super) bodies: Vec<Row>,
    memberships: Vec<Row>,
    forces: Vec<Row>,
}

fn read(table: &str) -> Result<Vec<Row>, Box<dyn std::error::Error + Send + Sync>> {
    let path = demo().join(format!("{table}.csv"));
    let mut reader = csv::Reader::from_path(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let rows = reader.deserialize().collect::<Result<_, csv::Error>>();
    rows.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Whether a row of days `[from, to)` holds `day`; dates are ISO, so that text compares as they do.
fn on(row: &Row, day: &str) -> bool {
    row["from"].as_str() <= day && (row["to"].is_empty() || row["to"].as_str() > day)
}

impl Files {
    pub(super) fn read() -> Result<Files, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Files {
            committees: read("committees")?,
            counts: read("household_counts")?,
            stewardships: read("stewardships")?,
            estates: read("estates")?,
            buildings: read("buildings")?,
            blocks: read("blocks")?,
            households: read("households")?,
            residents: read("residents")?,
            bodies: read("bodies")?,
            memberships: read("memberships")?,
            forces: read("block_forces")?,
        })
    }

    /// The declared count of each committee that exists on a day: the last one valid by then, as corrected.
    pub(super) fn declared(&self, day: &str) -> BTreeSet<(String, i64)> {
        let begun = |row: &&Row| {
            let first = ["preparation_started_on", "founded_on"].map(|column| row[column].as_str());
            first.into_iter().find(|date| !date.is_empty()).is_some_and(|date| date <= day)
        };
        let declared = self.committees.iter().filter(begun).map(|committee| {
            let own = (&committee["households_as_of"], "", &committee["households"]);
            let later = self.counts.iter().filter(|row| row["committee"] == committee["code"]);
            let later = later.map(|row| (&row["valid_on"], row["recorded_on"].as_str(), &row["households"]));
            let last = [own].into_iter().chain(later).filter(|(valid, ..)| valid.as_str() <= day).max();
            let households = last.and_then(|(.., households)| households.parse().ok());
            (committee["code"].clone(), households.unwrap_or(-2))
        });
        declared.collect()
    }

    /// Households and residents of a committee on a day.
    pub(super) fn register(&self, committee: &str, day: &str) -> (i64, i64) {
        let codes = |rows: &[Row], column: &str, of: &BTreeSet<String>| -> BTreeSet<String> {
            rows.iter().filter(|row| of.contains(&row[column])).map(|row| row["code"].clone()).collect()
        };
        let estates = codes(&self.estates, "committee", &BTreeSet::from([committee.to_owned()]));
        let buildings = codes(&self.buildings, "estate", &estates);
        let households = codes(&self.households, "building", &buildings);
        let residents =
            self.residents.iter().filter(|row| on(row, day) && households.contains(&row["household"]));
        let residents: BTreeSet<&String> = residents.map(|row| &row["code"]).collect();
        (households.len() as i64, residents.len() as i64)
    }

    /// The block of a household, and its steward on a day.
    pub(super) fn steward(&self, household: &Row, day: &str) -> Option<(String, String)> {
        let building = self.buildings.iter().find(|row| row["code"] == household["building"])?;
        let its = self.stewardships.iter().find(|row| row["block"] == building["block"] && on(row, day))?;
        Some((building["block"].clone(), its["worker"].clone()))
    }

    /// A household, with its committee.
    pub(super) fn household(&self, code: &str) -> Option<(&Row, &str)> {
        let household = self.households.iter().find(|row| row["code"] == code)?;
        let building = self.buildings.iter().find(|row| row["code"] == household["building"])?;
        Some((household, self.estate(&building["estate"])?))
    }

    /// The committee of an estate.
    pub(super) fn estate(&self, code: &str) -> Option<&str> {
        let estate = self.estates.iter().find(|row| row["code"] == code)?;
        Some(estate["committee"].as_str())
    }

    /// Who lives in a household on a day, the oldest first.
    pub(super) fn at_home(&self, household: &str, day: &str) -> Vec<&str> {
        let mut all: Vec<&Row> =
            self.residents.iter().filter(|row| row["household"] == household && on(row, day)).collect();
        all.sort_by_key(|row| &row["birth_date"]);
        all.iter().map(|row| row["code"].as_str()).collect()
    }

    /// The committee that a body is of: its own, or that of its estate.
    fn committee_of(&self, body: &Row) -> String {
        let estate =
            self.estates.iter().find(|row| body["level"] == "ESTATE" && row["code"] == body["owner"]);
        estate.map_or_else(|| body["owner"].clone(), |estate| estate["committee"].clone())
    }

    /// Bodies with vacant seats on a day: code, committee, the seats.
    pub(super) fn vacant(&self, day: &str) -> Vec<(String, String, Vec<i64>)> {
        let vacant = self.bodies.iter().map(|body| {
            let seats: i64 = body["seats"].parse().unwrap_or(0);
            let held: BTreeSet<i64> = self
                .memberships
                .iter()
                .filter(|row| row["body"] == body["code"] && on(row, day))
                .filter_map(|row| row["seat"].parse().ok())
                .collect();
            let left: Vec<i64> = (1..=seats).filter(|seat| !held.contains(seat)).collect();
            (body["code"].clone(), self.committee_of(body), left)
        });
        vacant.filter(|(.., seats)| !seats.is_empty()).collect()
    }

    /// Whether a committee has a body of a kind.
    pub(super) fn has(&self, committee: &str, kind: &str) -> bool {
        self.bodies.iter().any(|body| body["kind"] == kind && self.committee_of(body) == committee)
    }

    /// The blocks that gather nobody on a day.
    pub(super) fn without_forces(&self, day: &str) -> BTreeSet<String> {
        let gathered =
            |block: &Row| self.forces.iter().any(|row| row["block"] == block["code"] && on(row, day));
        self.blocks
            .iter()
            .filter(|row| on(row, day) && !gathered(row))
            .map(|row| row["code"].clone())
            .collect()
    }
}
