//! The card 名片 of a committee.

use chassis::{call::Call, identity::Scope, refusal::Refusal, vault::Vault, wire};
use contracts::linli::governance::v1 as pb;
use futures_util::TryStreamExt;
use jiff::civil::Date;
use kernel::name::CommitteeName;
use sqlx::PgConnection;

use super::{
    Structures, encode,
    overview::notice,
    rules,
    store::{self, Target},
};
use crate::{as_of::AsOf, committee, fields::number, town};

/// Findings on a card.
const SHOWN: usize = 100;

/// The ages at which groups begin.
const AGES: [i32; 6] = [0, 7, 18, 35, 60, 80];

/// Years of age on a day.
pub(crate) fn age(birth: Date, day: Date) -> i32 {
    let years = i32::from(day.year()) - i32::from(birth.year());
    if (day.month(), day.day()) < (birth.month(), birth.day()) { years - 1 } else { years }
}

/// Counts residents by age and sex without keeping anything of one.
#[derive(Debug)]
pub(crate) struct Ages {
    groups: [[i32; 3]; AGES.len()],
    registered: i32,
    permit: i32,
}

impl Ages {
    fn new() -> Ages {
        Ages { groups: [[0; 3]; AGES.len()], registered: 0, permit: 0 }
    }

    fn add(&mut self, age: i32, sex: &str, registered: bool) {
        let group = AGES.iter().rposition(|from| *from <= age).unwrap_or(0);
        let sex = match sex {
            "MALE" => 0,
            "FEMALE" => 1,
            _ => 2,
        };
        self.groups[group][sex] += 1;
        *(if registered { &mut self.registered } else { &mut self.permit }) += 1;
    }

    fn encode(&self) -> Vec<pb::AgeGroup> {
        let ends = AGES.iter().skip(1).copied().chain([0]);
        let groups = AGES.iter().zip(ends).zip(self.groups);
        let group = |((from, to), [men, women, unknown]): ((&i32, i32), [i32; 3])| pb::AgeGroup {
            from_age: *from,
            to_age: to,
            men,
            women,
            unknown,
        };
        groups.map(group).collect()
    }
}

async fn ages(
    sql: &mut PgConnection,
    vault: &Vault,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<Ages, Refusal> {
    let mut ages = Ages::new();
    let mut query = store::residents_query(name, as_of);
    let mut rows = query.build_query_as::<store::Resident>().fetch(sql);
    while let Some(row) = rows.try_next().await? {
        let place = format!("towns/{}/people/{} birth_date", name.town(), row.id);
        let birth: Date = vault.open_text(&place, &row.birth_sealed)?.parse().map_err(Refusal::internal)?;
        ages.add(age(birth, as_of.day), &row.sex, row.registered);
    }
    Ok(ages)
}

impl Structures {
    pub(super) async fn card(
        &self,
        call: &Call,
        request: &pb::GetCommitteeCardRequest,
    ) -> Result<pb::CommitteeCard, Refusal> {
        let name: CommitteeName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = committee::store::get(read.sql(), &name, &scope, &as_of).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Committee", name.to_string()))?;
        let id = Some(name.committee());
        let target =
            Target { town: name.town(), scope: &Scope::Town, as_of: &as_of, community: None, committee: id };
        let snapshot = store::load(read.sql(), &target).await?;
        let settings = store::kept(read.sql(), name.town()).await?.settings;
        let findings = rules::check(&snapshot, as_of.day, settings);
        let ages = ages(read.sql(), self.0.db.vault(), &name, &as_of).await?;
        let blocks = store::blocks_on_card(read.sql(), &name, &as_of).await?;
        let estates = store::estates_on_card(read.sql(), &name, &as_of).await?;
        let bodies = store::bodies_on_card(read.sql(), &name, &as_of).await?;
        let town = town::store::get(read.sql(), name.town()).await?;
        let registered_households = estates.iter().map(|estate| estate.households).sum();
        Ok(pb::CommitteeCard {
            committee: Some(committee::encode::committee(&view)?),
            as_of_date: Some(wire::to_date(as_of.day)),
            registered_households,
            residents: ages.registered + ages.permit,
            registered_residents: ages.registered,
            permit_residents: ages.permit,
            ages: ages.encode(),
            blocks,
            estates,
            bodies,
            findings: findings.iter().take(SHOWN).map(|f| encode::finding(name.town(), f)).collect(),
            finding_count: number(findings.len()),
            successors: committee::successors(read.sql(), &name, &as_of).await?,
            notice: town.as_ref().map(notice).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn groups_begin_at_their_first_year() {
        let mut ages = Ages::new();
        for (age, sex, registered) in
            [(0, "MALE", true), (6, "", true), (7, "FEMALE", false), (80, "MALE", true), (101, "MALE", true)]
        {
            ages.add(age, sex, registered);
        }
        assert_eq!((ages.registered, ages.permit), (4, 1));
        let groups = ages.encode();
        assert_eq!((groups[0].men, groups[0].unknown, groups[1].women, groups[5].men), (1, 1, 1, 2));
        assert_eq!((groups[5].from_age, groups[5].to_age, groups[4].to_age), (80, 0, 80));
    }

    proptest! {
        /// Against counting birthdays.
        #[test]
        fn age_counts_birthdays(year in 1920i16..2020, month in 1i8..13, day in 1i8..29, on in 0i64..800) {
            let (birth, on) = (date(year, month, day), date(2019, 1, 1) + jiff::Span::new().days(on));
            let birthdays = (i32::from(birth.year()) + 1..).take_while(|y| date(*y as i16, month, day) <= on).count();
            if birth <= on {
                prop_assert_eq!(age(birth, on), birthdays as i32);
            }
        }
    }
}
