//! The working-day calendar.

pub(crate) mod store;

use chassis::{
    call::Call,
    clock::shanghai,
    context::Context,
    paging::Paging,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, mutate},
};
use contracts::linli::governance::v1::{self as pb, calendar_service_server::CalendarService};
use jiff::{ToSpan, civil::Date};
use kernel::{
    calendar::{Calendar, DayKind, OpenTerm, Paper, due_instant},
    name::CalendarPaperName,
};
use serde_json::json;
use tonic::{Request, Response, Status};

use crate::{fields::display, town::NATIONAL};
use store::{Head, PaperDay};

/// Days that are listed at most.
const MOST_DAYS: i64 = 400;

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Calendars(pub Context);

fn encode_kind(kind: DayKind) -> pb::DayKind {
    match kind {
        DayKind::Work => pb::DayKind::Work,
        DayKind::Rest => pb::DayKind::Rest,
        DayKind::Holiday => pb::DayKind::Holiday,
        DayKind::MakeUpWork => pb::DayKind::MakeUpWork,
    }
}

fn decode_kind(field: &str, kind: i32) -> Result<DayKind, FieldFault> {
    match pb::DayKind::try_from(kind).unwrap_or_default() {
        pb::DayKind::Work => Ok(DayKind::Work),
        pb::DayKind::Rest => Ok(DayKind::Rest),
        pb::DayKind::Holiday => Ok(DayKind::Holiday),
        pb::DayKind::MakeUpWork => Ok(DayKind::MakeUpWork),
        pb::DayKind::Unspecified => Err(FieldFault::new(field, "REQUIRED", "必填", "required")),
    }
}

fn encode_day(day: Date, kind: DayKind, holiday: &str) -> pb::CalendarDay {
    pb::CalendarDay {
        date: Some(wire::to_date(day)),
        kind: encode_kind(kind).into(),
        holiday: holiday.to_owned(),
    }
}

fn encode(head: &Head, days: &[PaperDay]) -> pb::CalendarPaper {
    pb::CalendarPaper {
        name: format!("calendarPapers/{}", head.id),
        title: head.title.clone(),
        issue_date: Some(wire::to_date(head.issued)),
        note: head.note.clone(),
        days: days.iter().map(|day| encode_day(day.day, day.kind, &day.holiday)).collect(),
        create_time: Some(wire::to_timestamp(head.created)),
    }
}

/// The event and history of a paper.
pub(crate) fn change(id: &str, verb: &'static str) -> Change {
    Change {
        resource: format!("calendarPapers/{id}"),
        version: 1,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: "calendarPaper.created",
        data: json!({"calendar_paper": format!("calendarPapers/{id}")}),
    }
}

impl Calendars {
    async fn read(&self, request: &pb::GetCalendarPaperRequest) -> Result<pb::CalendarPaper, Refusal> {
        let name: CalendarPaperName = wire::name("name", &request.name)?;
        let mut read = self.0.db.read().await?;
        let head = store::heads(read.sql()).await?.into_iter().find(|head| head.id == name.calendar_paper());
        let head = head.ok_or_else(|| Refusal::not_found("linli.dev/CalendarPaper", name.to_string()))?;
        let days: Vec<PaperDay> =
            store::days(read.sql(), Some(&head.id)).await?.into_iter().map(|(_, day)| day).collect();
        Ok(encode(&head, &days))
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListCalendarPapersRequest,
    ) -> Result<pb::ListCalendarPapersResponse, Refusal> {
        let paging = Paging::open(&self.0, call, &[], request.page_size, &request.page_token)?;
        let heads = store::heads(self.0.db.read().await?.sql()).await?;
        let key = |head: &Head| vec![head.issued.to_string(), head.id.clone()];
        let mut rest: Vec<Head> =
            heads.into_iter().filter(|head| paging.after.is_empty() || key(head) > paging.after).collect();
        rest.truncate(paging.size + 1);
        let next_page_token = paging.next(&mut rest, key);
        Ok(pb::ListCalendarPapersResponse {
            calendar_papers: rest.iter().map(|head| encode(head, &[])).collect(),
            next_page_token,
        })
    }

    async fn calendar(&self) -> Result<Calendar, Refusal> {
        Ok(Calendar::from_papers(&store::papers(self.0.db.read().await?.sql()).await?))
    }

    async fn days(
        &self,
        call: &Call,
        request: &pb::ListCalendarDaysRequest,
    ) -> Result<pb::ListCalendarDaysResponse, Refusal> {
        let mut faults = Faults::default();
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
        if let Some((start, end)) = start.zip(end)
            && !(0..=MOST_DAYS).contains(&i64::from((end - start).get_days()))
        {
            faults.push(FieldFault::new(
                "end_date",
                "RANGE",
                "须晚于 start_date 且不超过 400 天",
                "after start_date, 400 days at most",
            ));
        }
        let (start, end) = faults.finish(start.zip(end))?;
        let paging = Paging::open(
            &self.0,
            call,
            &[&start.to_string(), &end.to_string()],
            request.page_size,
            &request.page_token,
        )?;
        let calendar = self.calendar().await?;
        let days = start.series(1.day()).take_while(|day| *day < end);
        let mut days: Vec<Date> = days
            .filter(|day| paging.after_first().is_none_or(|after| day.to_string().as_str() > after))
            .collect();
        let next_page_token = paging.next(&mut days, |day| vec![day.to_string()]);
        Ok(pb::ListCalendarDaysResponse {
            calendar_days: days.iter().map(|day| encode_day(*day, calendar.kind(*day), "")).collect(),
            next_page_token,
            announced_until: calendar.announced_until().map(wire::to_date),
        })
    }

    async fn term(&self, request: &pb::ComputeTermRequest) -> Result<pb::Term, Refusal> {
        let start = wire::required_date("start_date", request.start_date.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let term = self.calendar().await?.term(start, u32::try_from(request.working_days).unwrap_or(0));
        Ok(pb::Term {
            due_date: Some(wire::to_date(term.due)),
            due_time: Some(wire::to_timestamp(due_instant(term.due, &shanghai()).as_microsecond())),
            provisional: term.provisional,
        })
    }
}

struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateCalendarPaperRequest;
    type Answer = pb::CreateCalendarPaperResponse;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        request: &Self::Request,
    ) -> Result<Record<pb::CreateCalendarPaperResponse>, Refusal> {
        // the papers are every town's: only who holds it everywhere enters one
        work.call().everywhere()?;
        let (head, days, terms) = parse(request)?;
        let mut papers = store::papers(work.sql()).await?;
        let before = Calendar::from_papers(&papers);
        if !store::create(work.sql(), &head, &days).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", format!("calendarPapers/{}", head.id)));
        }
        papers.push(Paper {
            code: head.id.clone(),
            dated: head.issued,
            days: days.iter().map(|day| (day.day, day.kind)).collect(),
        });
        let after = Calendar::from_papers(&papers);
        let changed_days =
            after.changed_since(&before).into_iter().map(|(day, kind)| encode_day(day, kind, "")).collect();
        let moved = after.moved_since(&before, &terms).into_iter().map(|moved| pb::MovedTerm {
            subject: moved.subject,
            former_due_date: Some(wire::to_date(moved.from)),
            due_date: Some(wire::to_date(moved.to)),
        });
        let answer = pb::CreateCalendarPaperResponse {
            calendar_paper: Some(encode(&head, &days)),
            changed_days,
            moved_terms: moved.collect(),
        };
        let change = change(&head.id, "create");
        Ok(Record {
            town: NATIONAL.to_owned(),
            resource: change.resource.clone(),
            summary: format!("create {}", change.resource),
            changes: vec![change],
            answer,
        })
    }
}

fn parse(request: &pb::CreateCalendarPaperRequest) -> Result<(Head, Vec<PaperDay>, Vec<OpenTerm>), Refusal> {
    let default = pb::CalendarPaper::default();
    let given = request.calendar_paper.as_ref().unwrap_or(&default);
    let mut faults = Faults::default();
    let title = faults.take(display("calendar_paper.title", &given.title));
    let issued = faults.take(wire::required_date("calendar_paper.issue_date", given.issue_date.as_ref()));
    let mut days = Vec::new();
    for (n, day) in given.days.iter().enumerate() {
        let date =
            faults.take(wire::required_date(&format!("calendar_paper.days[{n}].date"), day.date.as_ref()));
        let kind = faults.take(decode_kind(&format!("calendar_paper.days[{n}].kind"), day.kind));
        if let Some((day_of, kind)) = date.zip(kind) {
            if days.iter().any(|other: &PaperDay| other.day == day_of) {
                faults.push(FieldFault::new(
                    format!("calendar_paper.days[{n}].date"),
                    "DUPLICATE",
                    "日期重复",
                    "given twice",
                ));
            }
            days.push(PaperDay { day: day_of, kind, holiday: day.holiday.clone() });
        }
    }
    let mut terms = Vec::new();
    for (n, term) in request.terms.iter().enumerate() {
        let start =
            faults.take(wire::required_date(&format!("terms[{n}].start_date"), term.start_date.as_ref()));
        terms.extend(start.map(|start| OpenTerm {
            subject: term.subject.clone(),
            start,
            days: u32::try_from(term.working_days).unwrap_or(0),
        }));
    }
    let (title, issued) = faults.finish(title.zip(issued))?;
    let created = chassis::clock::recorded_now().as_microsecond();
    Ok((
        Head { id: request.calendar_paper_id.clone(), title, issued, note: given.note.clone(), created },
        days,
        terms,
    ))
}

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn get_calendar_paper(
        &self,
        request: Request<pb::GetCalendarPaperRequest>,
    ) -> Result<Response<pb::CalendarPaper>, Status> {
        Call::of(&request)?;
        Ok(Response::new(self.read(request.get_ref()).await?))
    }

    async fn list_calendar_papers(
        &self,
        request: Request<pb::ListCalendarPapersRequest>,
    ) -> Result<Response<pb::ListCalendarPapersResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_calendar_paper(
        &self,
        request: Request<pb::CreateCalendarPaperRequest>,
    ) -> Result<Response<pb::CreateCalendarPaperResponse>, Status> {
        mutate::<Create>(&self.0, request).await
    }

    async fn list_calendar_days(
        &self,
        request: Request<pb::ListCalendarDaysRequest>,
    ) -> Result<Response<pb::ListCalendarDaysResponse>, Status> {
        Ok(Response::new(self.days(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn compute_term(
        &self,
        request: Request<pb::ComputeTermRequest>,
    ) -> Result<Response<pb::Term>, Status> {
        Call::of(&request)?;
        Ok(Response::new(self.term(request.get_ref()).await?))
    }
}
