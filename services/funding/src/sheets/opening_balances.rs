//! `opening_balances.csv`: what a committee, or the project pool, had when its books began here. Each row is one balanced entry with its
//! evidence, booked once; one that was taken back can be booked again.

use std::collections::BTreeSet;

use chassis::{
    governance::Governance,
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::{Change, Work},
};
use kernel::{
    money::{Fen, YuanError},
    name::{CommitteeName, TownName},
    state::Named,
};
use serde_json::json;
use tabular::{Cells, Column, Fault, Field, Row, Table};
use uuid::Uuid;

use crate::ledger::{
    rules::{Earmark, Entry, EntryKind, For, Fund, Key},
    store::{
        self as ledger,
        opening::{self, Booked},
    },
};

/// The table; governance knows the committees.
pub(super) struct OpeningBalances(pub(super) Governance);

const fn column(name: &'static str) -> Column {
    Column { name, required: true, max_chars: 200, personal: false }
}

const COLUMNS: &[Column] = &[
    column("committee"),
    column("fund"),
    column("fiscal_year"),
    column("earmark"),
    column("amount_yuan"),
    column("evidence"),
];

/// Digits of a year.
const YEAR: usize = 4;

/// A row that can be read.
struct Opening {
    key: Key,
    amount: Fen,
    evidence: String,
}

/// Yuan with two decimals at most, above zero.
fn yuan(text: &str) -> Result<Fen, &'static str> {
    match Fen::of_yuan(text) {
        Ok(Fen::ZERO) => Err("more than nothing"),
        Ok(fen) => Ok(fen),
        Err(YuanError::Form) => Err("an amount in yuan such as 1234.56"),
        Err(YuanError::SubFen) => Err("two decimals at most"),
        Err(YuanError::Overflow) => Err("an amount that an account can hold"),
    }
}

/// What the account is of, or why it can't have an opening balance.
fn key(
    fund: Fund,
    year: i32,
    committee: &str,
    earmark: &str,
) -> Result<Key, (&'static str, &'static str, &'static str)> {
    match (fund, committee, earmark) {
        (Fund::ProjectPool, "", "") => Ok(Key::pool(year)),
        (Fund::ProjectPool, _, _) => Err((
            "fund",
            "项目资金池的期初属镇级：committee 与 earmark 留空",
            "the pool is the town's: leave committee and earmark empty",
        )),
        (Fund::Delegated, _, _) => Err((
            "fund",
            "费随事转请以交办（CreateDelegation）录入",
            "record delegated money as a delegation that is offered and accepted",
        )),
        (Fund::Work | Fund::Service, "", _) => Err(("committee", "必填", "required")),
        (Fund::Work | Fund::Service, _, "") => Ok(Key::committee(fund, year, committee, None)),
        (Fund::Work | Fund::Service, _, "carried") => {
            Ok(Key::committee(fund, year, committee, Some(Earmark::Carried)))
        }
        (Fund::Work | Fund::Service, _, _) => Err((
            "earmark",
            "留空或 carried；项目款请以拨款录入",
            "empty or carried; record a project's money as a grant",
        )),
    }
}

fn read(town: &TownName, row: &Row) -> Result<Opening, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let fund = cells.one_of("fund", Fund::NAMES).and_then(Fund::from_name);
    let year = cells.parsed("fiscal_year", |text| match text.parse::<i32>() {
        Ok(year) if text.len() == YEAR && (2000..=2200).contains(&year) => Ok(year),
        _ => Err("a year of four digits"),
    });
    let amount = cells.parsed("amount_yuan", yuan);
    let evidence = cells.text("evidence");
    let (committee, earmark) = (cells.raw("committee").to_owned(), cells.raw("earmark").to_owned());
    if !committee.is_empty() && CommitteeName::new(town.town(), &committee).is_err() {
        cells.fault("committee", "FORMAT", "不是居委会编号", "not the id of a committee");
    }
    let key = fund.zip(year).map(|(fund, year)| key(fund, year, &committee, &earmark));
    if let Some(Err((column, zh, en))) = &key {
        cells.fault(column, "NOT_ALLOWED", *zh, *en);
    }
    let key = key.and_then(Result::ok);
    let ((key, amount), evidence) = cells.finish(key.zip(amount).zip(evidence))?;
    Ok(Opening { key, amount, evidence })
}

/// The committee that a row names; none where it names none, or nothing that may be one.
fn committee(town: &TownName, row: &Row) -> Option<CommitteeName> {
    CommitteeName::new(town.town(), Cells::new(row, COLUMNS).raw("committee")).ok()
}

/// The change that tells of an opening balance.
fn change(entry: &str, account: &str, opening: &Opening) -> Change {
    Change {
        resource: entry.to_owned(),
        version: 1,
        verb: "import",
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: "entry.booked",
        data: json!({
            "entry": entry, "account": account, "kind": EntryKind::Opening.name(), "fund": opening.key.fund.name(),
            "fiscal_year": opening.key.fiscal_year, "amount_fen": opening.amount.fen(),
        }),
    }
}

async fn book(
    work: &mut Work,
    town: &TownName,
    opening: &Opening,
    former: &Booked,
) -> Result<Applied, Refusal> {
    let year = opening.key.fiscal_year;
    ledger::year::need_open(work.sql(), town.town(), year).await?;
    let keys = [Key::opening(opening.key.fund, year), opening.key.clone()];
    let accounts = ledger::open(work.sql(), town.town(), &keys).await?;
    let [from, to] = accounts.as_slice() else {
        return Err(Refusal::internal("two accounts were asked for"));
    };
    let account = to.name(town.town());
    let what = For {
        kind: EntryKind::Opening,
        key: &former.next_key(to.id),
        fiscal_year: year,
        booked_on: work.call().today(),
        subject: &account,
        description: "期初余额",
    };
    let mut entry = Entry::simple(what, from.id, to.id, opening.amount);
    entry.evidence.clone_from(&opening.evidence);
    let told = change(&format!("{town}/entries/{}", entry.id), &account, opening);
    ledger::post(work, town.town(), &[entry]).await?;
    Ok(Applied::Created(vec![told]))
}

#[tonic::async_trait]
impl Sheet for OpeningBalances {
    fn name(&self) -> &'static str {
        "opening_balances"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the committee's id; empty for the town's project pool",
            "WORK, SERVICE or PROJECT_POOL",
            "the year in which it is booked, four digits; it must be open",
            "carried for what was carried over from the year before; else empty",
            "yuan with two decimals at most, above zero",
            "what proves it: the number of a document or of a closing sheet",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        None
    }
    fn requires(&self) -> &'static [&'static str] {
        &[]
    }

    async fn ask(&self, town: &TownName, table: &Table) -> Result<Vec<Fault>, Refusal> {
        let named: BTreeSet<CommitteeName> =
            table.rows.iter().filter_map(|row| committee(town, row)).collect();
        let mut unknown = BTreeSet::new();
        for name in named {
            if self.0.committee(&name).await?.is_none() {
                unknown.insert(name);
            }
        }
        let fault = |row: &Row| {
            let name = committee(town, row).filter(|name| unknown.contains(name))?;
            let (zh, en) = (format!("没有居委会 {name}"), format!("there is no committee {name}"));
            Some(Fault::at(row.number, "committee", name.committee(), "COMMITTEE_NOT_FOUND", zh, en))
        };
        Ok(table.rows.iter().filter_map(fault).collect())
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let opening = read(town, row)?;
        let former = match ledger::find(work.sql(), town.town(), &opening.key).await? {
            Some(account) => opening::booked(work.sql(), town.town(), &account.name(town.town())).await?,
            None => Booked::default(),
        };
        let Some((amount, evidence)) = &former.stands else {
            return Ok(book(work, town, &opening, &former).await?);
        };
        if (amount, evidence) == (&opening.amount, &opening.evidence) {
            return Ok(Applied::Unchanged);
        }
        let (zh, en) = (
            format!("该账户期初已录入 {amount} 元，期初只录一次；有误请先冲销该分录"),
            format!(
                "an opening balance of {amount} yuan is booked; it is booked once: reverse its entry first"
            ),
        );
        Err(vec![Fault::at(row.number, "amount_yuan", "", "BOOKED_ALREADY", zh, en)].into())
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let after = export.after.as_deref().and_then(|id| Uuid::parse_str(id).ok()).unwrap_or_default();
        let limit = export.limit();
        let mut rows = opening::standing(&mut *export.sql, export.town.town(), after, limit).await?;
        export.cut(&mut rows, |row| row.id.to_string());
        let fields = rows.into_iter().map(|row| {
            vec![
                Field::Text(row.committee.unwrap_or_default()),
                Field::Text(row.fund),
                Field::Number(row.fiscal_year.into()),
                Field::Text(row.earmark.unwrap_or_default()),
                Field::Text(row.amount.to_string()),
                Field::Text(row.evidence),
            ]
        });
        Ok(fields.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_yuan_and_nothing_else() {
        for (text, fen) in [("1234.56", 123_456), ("0.01", 1), ("5", 500), ("5.5", 550)] {
            assert_eq!(yuan(text), Ok(Fen::of(fen)), "{text}");
        }
        for bad in ["", "0", "0.00", "-1", "1.005", "1,000", "1.", ".5", "92233720368547758.08", "1e3", "五"]
        {
            assert!(yuan(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_can_be_given_back_is_opened() {
        assert_eq!(key(Fund::Work, 2020, "c1", ""), Ok(Key::committee(Fund::Work, 2020, "c1", None)));
        assert_eq!(key(Fund::ProjectPool, 2020, "", ""), Ok(Key::pool(2020)));
        for (fund, committee, earmark) in [
            (Fund::Delegated, "c1", "delegation:d"),
            (Fund::Service, "c1", "project:p"),
            (Fund::Service, "", ""),
            (Fund::ProjectPool, "c1", ""),
        ] {
            assert!(key(fund, 2020, committee, earmark).is_err(), "{fund:?} {committee} {earmark}");
        }
    }
}
