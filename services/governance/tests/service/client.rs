//! The chassis' client of governance, which the other services use, against a governance with its layers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chassis::{
    governance::{CommitteesAsked, Governance, ServiceToken},
    identity::{CachedDirectory, Directory, Identity, Scope, scope_of},
    peer::Peer,
    refusal::Refusal,
};
use contracts::linli::governance::v1::{self as pb, calendar_service_client::CalendarServiceClient};
use jiff::civil::{Date, date};
use kernel::{
    calendar::{Calendar, DayKind, Paper},
    name::{CommitteeName, OrganisationName, TownName},
};
use tonic::Status;
use tower::ServiceExt;

use crate::harness::{Service, date as wire, service, uuid, with};

/// A governance that can go away, and its client.
struct Far {
    away: Arc<AtomicBool>,
    governance: Governance,
}

impl Far {
    fn of(service: &Service) -> Far {
        let away = Arc::new(AtomicBool::new(false));
        let (gone, peer) = (away.clone(), service.peer.clone());
        let peer = Peer::new(tower::service_fn(move |request: http::Request<tonic::body::Body>| {
            let (gone, peer) = (gone.load(Ordering::SeqCst), peer.clone());
            async move { if gone { Err(Status::unavailable("no route")) } else { peer.oneshot(request).await } }
        }));
        let token = ServiceToken::development(service.issuer.clone(), "funding");
        Far { away, governance: Governance::new("funding", peer, token) }
    }

    fn go(&self) {
        self.away.store(true, Ordering::SeqCst);
    }
}

fn is_away(refusal: &Refusal) -> bool {
    (refusal.reason().name, refusal.metadata("peer")) == ("UNAVAILABLE", Some("governance"))
}

fn li() -> Identity {
    Identity {
        issuer: "https://id".to_owned(),
        subject: "li".to_owned(),
        groups: Vec::new(),
        person: None,
        expires: 0,
    }
}

#[tokio::test]
async fn roles_come_with_the_committees_of_a_community_and_stay_while_governance_is_away() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service
        .sql(
            "insert into role_binding (town, id, member, role, area, person) values
             ('malu', 'a', 'principal:https://id|li', 'community-officer', 'towns/malu/communities/a', 'towns/malu/people/li')",
        )
        .await;
    let far = Far::of(&service);
    let directory = CachedDirectory::new(Arc::new(far.governance.clone()));
    let grants = directory.grants(&li()).await.unwrap();
    assert_eq!(grants.person.as_deref(), Some("towns/malu/people/li"));
    let Scope::Areas { communities, committees, .. } =
        scope_of(&grants.grants, "governance.committees.get", "malu")
    else {
        panic!("{grants:?}")
    };
    assert_eq!((communities, committees), (vec!["a".to_owned()], vec!["c1".to_owned()]));

    far.go();
    assert_eq!(directory.grants(&li()).await.unwrap(), grants);
    let other = Identity { subject: "other".to_owned(), ..li() };
    assert!(directory.grants(&other).await.is_err(), "nothing was known of this one");
}

/// The New Year of a year, and a make-up working day before it.
fn new_year(year: i16) -> Vec<(Date, DayKind)> {
    vec![(date(year, 1, 1), DayKind::Holiday), (date(year - 1, 12, 28), DayKind::MakeUpWork)]
}

async fn enter(service: &Service, code: &str, dated: Date, days: &[(Date, DayKind)]) {
    let kind = |kind: DayKind| match kind {
        DayKind::Holiday => pb::DayKind::Holiday,
        DayKind::MakeUpWork => pb::DayKind::MakeUpWork,
        DayKind::Work => pb::DayKind::Work,
        DayKind::Rest => pb::DayKind::Rest,
    };
    let days = days.iter().map(|(day, of)| pb::CalendarDay {
        date: Some(wire(*day)),
        kind: kind(*of).into(),
        holiday: String::new(),
    });
    let paper = pb::CalendarPaper {
        title: "国务院办公厅通知".to_owned(),
        issue_date: Some(wire(dated)),
        days: days.collect(),
        ..Default::default()
    };
    let request = pb::CreateCalendarPaperRequest {
        calendar_paper_id: code.to_owned(),
        calendar_paper: Some(paper),
        request_id: uuid(),
        ..Default::default()
    };
    let administrator = service.token("administrator", "administrator", "everywhere");
    let mut client = CalendarServiceClient::new(service.peer.clone());
    client.create_calendar_paper(with(request, &administrator)).await.unwrap();
}

#[tokio::test]
async fn the_calendar_is_that_of_the_papers_and_stays_while_governance_is_away() {
    let service = service(date(2020, 6, 1)).await;
    let mut papers = Vec::new();
    for (code, dated, days) in [
        ("p-2020", date(2019, 11, 21), new_year(2020)),
        (
            "p-2020-1",
            date(2020, 1, 27),
            vec![(date(2019, 12, 28), DayKind::Rest), (date(2020, 1, 31), DayKind::Holiday)],
        ),
        ("p-2021", date(2020, 11, 25), new_year(2021)),
    ] {
        enter(&service, code, dated, &days).await;
        papers.push(Paper { code: code.to_owned(), dated, days });
    }
    let far = Far::of(&service);
    let calendar = far.governance.calendar().await.unwrap();
    assert_eq!(*calendar, Calendar::from_papers(&papers));
    assert_eq!(calendar.announced_until(), Some(date(2021, 12, 31)));
    far.go();
    assert_eq!(far.governance.calendar().await.unwrap(), calendar);

    let other = Far::of(&service);
    other.go();
    assert!(is_away(&other.governance.calendar().await.unwrap_err()));
}

#[tokio::test]
async fn committees_are_found_paged_and_missed() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service.committee("c2", date(2016, 1, 1)).await;
    service
        .sql(
            "insert into household_count (town, id, committee, valid_on, recorded, households) values
             ('malu', gen_random_uuid(), 'c1', '2019-12-31', tstzrange(now(), null), 2001),
             ('malu', gen_random_uuid(), 'c1', '2020-05-31', tstzrange(now(), null), 3000);
             insert into organisation (town, id, display_name, kind) values ('malu', 'o1', '文艺队', 'GROUP')",
        )
        .await;
    let far = Far::of(&service);
    let governance = &far.governance;
    let name = |id: &str| CommitteeName::new("malu", id).unwrap();
    let found = governance.committee(&name("c1")).await.unwrap().unwrap();
    assert_eq!(found.household_count.unwrap().households, 3_000);
    assert!(governance.committee(&name("nothing")).await.unwrap().is_none());
    let organisation = |id: &str| OrganisationName::new("malu", id).unwrap();
    assert!(governance.organisation(&organisation("o1")).await.unwrap().is_some());
    assert!(governance.organisation(&organisation("o2")).await.unwrap().is_none());

    let asked = CommitteesAsked {
        town: TownName::new("malu").unwrap(),
        as_of_date: date(2020, 6, 1),
        household_count_date: Some(date(2019, 12, 31)),
        read_time: None,
        page_token: String::new(),
    };
    let page = governance.committees(asked.clone()).await.unwrap();
    let counts =
        page.committees.iter().map(|committee| committee.household_count.as_ref().map(|c| c.households));
    assert_eq!((counts.collect::<Vec<_>>(), page.next_page_token.as_str()), (vec![Some(2_001), None], ""));
    let forged = CommitteesAsked { page_token: "forged".to_owned(), ..asked.clone() };
    assert_eq!(governance.committees(forged).await.unwrap_err().reason().name, "PAGE_TOKEN_INVALID");

    service
        .sql(
            "insert into committee (town, id, kind, founding_date) select 'malu', 'd' || n, 'RESIDENTS_COMMITTEE', '2016-01-01'
                 from generate_series(1, 1000) n;
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
                 select 'malu', gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED'
                 from committee where id like 'd%'",
        )
        .await;
    let first = governance.committees(asked.clone()).await.unwrap();
    let rest = CommitteesAsked { page_token: first.next_page_token, ..asked };
    let second = governance.committees(rest.clone()).await.unwrap();
    assert_eq!((first.committees.len(), second.committees.len()), (1_000, 2));

    far.go();
    assert!(is_away(&governance.committee(&name("c1")).await.unwrap_err()));
    assert!(is_away(&governance.organisation(&organisation("o1")).await.unwrap_err()));
    assert!(is_away(&governance.committees(rest).await.unwrap_err()));
}
