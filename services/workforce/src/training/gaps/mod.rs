//! Who lacks which training by when.

mod store;

use chassis::{
    call::Call,
    context::Context,
    fields,
    listing::{self, Asked},
    refusal::{Faults, Refusal},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::state::Named;

use self::store::Row;
use super::{
    course,
    lacking::{self, Asked as Needs, Course, Gap, Target},
    rules::Role,
};

/// What everybody's gap is judged by.
struct Measure {
    day: Date,
    soon: Date,
    targets: Vec<Target>,
    courses: Vec<Course>,
}

fn encode(row: &Row, (needs, has, gap): (&Needs, &lacking::Has, Gap), day: Date) -> pb::TrainingGap {
    let lack = |lack: &lacking::Lack| pb::TrainingLack {
        course: format!("towns/{}/courses/{}", row.town, lack.course),
        state: pb::TrainingLackState::from_str_name(&format!("TRAINING_LACK_STATE_{}", lack.state.name()))
            .unwrap_or_default()
            .into(),
        due_date: Some(wire::to_date(lack.due)),
    };
    pb::TrainingGap {
        worker: format!("towns/{}/workers/{}", row.town, row.id),
        committee: crate::posting::encode::committee(&row.town, row.committee.as_deref().unwrap_or_default()),
        target_minutes: needs.minutes,
        credited_minutes: has.minutes,
        missing_minutes: gap.minutes,
        due_date: Some(wire::to_date(day.last_of_year())),
        lacks: gap.lacks.iter().map(lack).collect(),
    }
}

impl Measure {
    /// What a worker lacks; nothing when he is behind with nothing.
    fn gap(&self, row: &Row) -> Result<Option<pb::TrainingGap>, Refusal> {
        let role = Role::of_post(row.post.as_deref());
        let needs = lacking::asked(role, i32::from(self.day.year()), &self.targets, &self.courses);
        let has = row.has()?;
        let gap = lacking::gap(&needs, &has, self.day, self.soon);
        Ok(if gap.is_none() { None } else { Some(encode(row, (&needs, &has, gap), self.day)) })
    }
}

/// What a request asks beside the usual.
struct Own {
    committee: Option<String>,
    soon: Option<Date>,
}

fn read(request: &pb::ListTrainingGapsRequest) -> Result<Own, Refusal> {
    let mut faults = Faults::default();
    let town = request.parent.strip_prefix("towns/").unwrap_or_default();
    let committee = match request.committee.as_str() {
        "" => Some(None),
        text => faults.take(fields::committee_id("committee", town, text)).map(Some),
    };
    let soon = faults.take(wire::date("expire_until_date", request.expire_until_date.as_ref()));
    let (committee, soon) = faults.finish(committee.zip(soon))?;
    Ok(Own { committee, soon })
}

/// A page of workers who are behind.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListTrainingGapsRequest,
) -> Result<pb::ListTrainingGapsResponse, Refusal> {
    let own = read(request)?;
    let asked = listing::Request {
        parent: &request.parent,
        page_size: request.page_size,
        page_token: &request.page_token,
        filter: "",
        order_by: "",
        as_of_date: request.as_of_date.as_ref(),
        read_time: None,
    };
    let bound = format!("{} {:?}", request.committee, own.soon);
    let (asked, paging) = Asked::read_bound(context, call, asked, &[], &bound)?;
    let day = asked.as_of.day;
    let mut read = context.db.read().await?;
    let measure = Measure {
        day,
        soon: own.soon.unwrap_or_else(|| day.last_of_year()),
        targets: course::store::targets(read.sql(), &asked.town, i32::from(day.year())).await?,
        courses: course::store::obligations(read.sql(), &asked.town).await?,
    };
    let mut query = store::list_query(&asked, own.committee.as_deref());
    let mut found: Vec<Row> = query.build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.clone()]);
    let gaps = found.iter().map(|row| measure.gap(row)).collect::<Result<Vec<_>, _>>()?;
    Ok(pb::ListTrainingGapsResponse { training_gaps: gaps.into_iter().flatten().collect(), next_page_token })
}
