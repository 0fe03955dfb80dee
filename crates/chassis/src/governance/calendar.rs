//! The calendar, made here of the papers that governance has: the same rules on the same papers give the same days. A paper never
//! changes, so of the papers only the new ones are read.

use std::{collections::HashMap, sync::Arc};

use contracts::linli::governance::v1::{self as pb, calendar_service_client::CalendarServiceClient};
use kernel::calendar::{Calendar, DayKind, Paper};

use super::{Governance, refused};
use crate::{
    refusal::{FieldFault, Refusal},
    wire,
};

/// Papers of one page.
const PAGE: i32 = 1_000;

/// What the papers say.
#[derive(Debug)]
pub(super) struct Papers {
    pub(super) calendar: Arc<Calendar>,
    by_name: HashMap<String, Paper>,
}

/// The papers now; those of `before` are not read again.
pub(super) async fn read(
    governance: &Governance,
    before: Option<&Arc<Papers>>,
) -> Result<Arc<Papers>, Refusal> {
    let mut by_name = HashMap::new();
    for name in names(governance).await? {
        let paper = match before.and_then(|papers| papers.by_name.get(&name)) {
            Some(paper) => paper.clone(),
            None => paper(governance, &name).await?,
        };
        by_name.insert(name, paper);
    }
    if let Some(before) = before.filter(|before| before.by_name == by_name) {
        return Ok(before.clone());
    }
    let papers: Vec<Paper> = by_name.values().cloned().collect();
    Ok(Arc::new(Papers { calendar: Arc::new(Calendar::from_papers(&papers)), by_name }))
}

async fn names(governance: &Governance) -> Result<Vec<String>, Refusal> {
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListCalendarPapersRequest { page_size: PAGE, page_token };
        let mut client = CalendarServiceClient::new(governance.0.peer.clone());
        let page =
            governance.ask(request, async |request| client.list_calendar_papers(request).await).await?;
        let page = page.map_err(refused)?;
        names.extend(page.calendar_papers.into_iter().map(|paper| paper.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(names);
        }
    }
}

async fn paper(governance: &Governance, name: &str) -> Result<Paper, Refusal> {
    let request = pb::GetCalendarPaperRequest { name: name.to_owned() };
    let mut client = CalendarServiceClient::new(governance.0.peer.clone());
    let paper = governance.ask(request, async |request| client.get_calendar_paper(request).await).await?;
    decode(&paper.map_err(refused)?).map_err(|fault| Refusal::internal(format!("{name}: {}", fault.en)))
}

fn decode(paper: &pb::CalendarPaper) -> Result<Paper, FieldFault> {
    let days = paper.days.iter().map(|day| {
        let date = wire::required_date("days.date", day.date.as_ref())?;
        Ok((date, kind(day.kind())?))
    });
    Ok(Paper {
        code: paper.name.trim_start_matches("calendarPapers/").to_owned(),
        dated: wire::required_date("issue_date", paper.issue_date.as_ref())?,
        days: days.collect::<Result<_, FieldFault>>()?,
    })
}

fn kind(kind: pb::DayKind) -> Result<DayKind, FieldFault> {
    match kind {
        pb::DayKind::Work => Ok(DayKind::Work),
        pb::DayKind::Rest => Ok(DayKind::Rest),
        pb::DayKind::Holiday => Ok(DayKind::Holiday),
        pb::DayKind::MakeUpWork => Ok(DayKind::MakeUpWork),
        pb::DayKind::Unspecified => Err(FieldFault::new("days.kind", "REQUIRED", "必填", "required")),
    }
}
