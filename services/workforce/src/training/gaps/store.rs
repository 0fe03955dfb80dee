//! The SQL of what workers have of the training that is asked.

use std::collections::BTreeMap;

use chassis::{history, listing::Asked, refusal::Refusal};
use sqlx::{FromRow, Postgres, QueryBuilder};

use crate::{
    training::lacking::{Has, Until},
    worker,
};

/// A worker as of a day, with what he has.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: String,
    pub(super) committee: Option<String>,
    pub(super) post: Option<String>,
    /// Minutes attended in the year until the day.
    minutes: i64,
    /// JSON: course → the day on which its certificate ends, or `infinity`; onboarding elsewhere under the empty name.
    held: String,
}

fn until(text: &str) -> Result<Until, Refusal> {
    match text {
        "infinity" => Ok(Until::Ever),
        day => Ok(Until::Day(history::day(day)?)),
    }
}

impl Row {
    /// What he has.
    pub(super) fn has(&self) -> Result<Has, Refusal> {
        let held: BTreeMap<String, String> = serde_json::from_str(&self.held).map_err(Refusal::internal)?;
        let mut courses = BTreeMap::new();
        for (course, end) in &held {
            courses.insert(course.clone(), until(end)?);
        }
        let onboarded = courses.remove("");
        Ok(Has { minutes: chassis::fields::number(self.minutes), courses, onboarded })
    }
}

/// A page of workers employed on the day by id, of the caller's areas, or of one committee among them.
pub(super) fn list_query(asked: &Asked, committee: Option<&str>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select w.town, w.id, p.committee, p.post,
    (select coalesce(sum(e.attended), 0) from enrolment e join training_session s on s.town = e.town and s.id = e.session
        where e.town = w.town and e.person = w.person and e.attended > 0 and s.day between date_trunc('year', q.day)::date and q.day) as minutes,
    (select coalesce(json_object_agg(h.course, h.ends), '{}')::text from (
        select coalesce(c.course, '') as course, max(coalesce(upper(c.valid), 'infinity'))::text as ends from certificate c
        where c.town = w.town and c.person = w.person and c.voided is null and lower(c.valid) <= q.day
            and (c.course is not null or c.kind = 'ONBOARDING') group by 1) h) as held
  from worker w cross join (select ",
    );
    query.push_bind(asked.as_of.day.to_string()).push(
        "::text::date as day) q left join posting p on p.town = w.town and p.worker = w.id and upper_inf(p.recorded) and p.valid @> q.day
  where w.employed @> q.day and w.town = ",
    );
    query.push_bind(asked.town.clone());
    worker::store::push_scope(&mut query, &asked.scope);
    if let Some(committee) = committee {
        query.push(" and p.committee = ").push_bind(committee.to_owned());
    }
    asked.push_page(&mut query, "w.id");
    query
}
