//! What became of a committee: the mergers and splits by a day, and who answers for its area then.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{identity::Scope, refusal::Refusal, wire};
use contracts::linli::governance::v1 as pb;
use kernel::name::CommitteeName;
use sqlx::PgConnection;

use super::{
    encode,
    rules::State,
    store::{self, Step},
};
use crate::{as_of::AsOf, store::day};

/// Every merger and split that leads on from a committee, oldest first; each is followed once.
pub(crate) async fn steps(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<Vec<Step>, Refusal> {
    // since when what is followed is there: a part that a committee gave away before says nothing of what came later
    let mut since = BTreeMap::from([(name.committee().to_owned(), String::new())]);
    let (mut next, mut all) = (vec![name.committee().to_owned()], BTreeSet::<Step>::new());
    while !next.is_empty() {
        let found = store::steps(&mut *sql, name.town(), &next, as_of).await?;
        next.clear();
        for step in found {
            if since.get(&step.committee).is_none_or(|since| step.day < *since) {
                continue;
            }
            // "~" is after every day
            let known = since.entry(step.successor.clone()).or_insert_with(|| "~".to_owned());
            if step.day < *known {
                step.day.clone_into(known);
                next.push(step.successor.clone());
            }
            all.insert(step);
        }
    }
    let mut all: Vec<Step> = all.into_iter().collect();
    all.sort_by(|a, b| (&a.day, &a.committee, &a.successor).cmp(&(&b.day, &b.committee, &b.successor)));
    Ok(all)
}

/// The lineage of a committee that the caller may see.
pub(super) async fn lineage(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<pb::CommitteeLineage, Refusal> {
    let steps = steps(&mut *sql, name, as_of).await?;
    let mut ids = BTreeSet::from([name.committee().to_owned()]);
    ids.extend(steps.iter().map(|step| step.successor.clone()));
    let mut current = Vec::new();
    for id in ids {
        let its = CommitteeName::new(name.town(), id).map_err(Refusal::internal)?;
        let view = store::get(&mut *sql, &its, &Scope::Town, as_of).await?;
        let there = |view: &store::View| {
            [State::Preparing, State::Founded].iter().any(|s| kernel::state::Named::name(*s) == view.state)
        };
        current.extend(view.filter(there).as_ref().map(encode::committee).transpose()?);
    }
    Ok(pb::CommitteeLineage {
        committee: name.to_string(),
        steps: steps.iter().map(|step| encoded(name.town(), step)).collect::<Result<_, _>>()?,
        current,
    })
}

fn encoded(town: &str, step: &Step) -> Result<pb::LineageStep, Refusal> {
    let kind = pb::LineageKind::from_str_name(&format!("LINEAGE_KIND_{}", step.kind)).unwrap_or_default();
    Ok(pb::LineageStep {
        committee: format!("towns/{town}/committees/{}", step.committee),
        successor: format!("towns/{town}/committees/{}", step.successor),
        kind: kind.into(),
        effective_date: Some(wire::to_date(day(&step.day)?)),
    })
}
