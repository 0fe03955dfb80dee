//! Forces of a block: they join, leave, are corrected on two time axes, and never stand there twice.

use std::sync::Arc;

use contracts::linli::{
    governance::v1::{
        self as pb, BlockForceKind, ForceDimension, block_force_service_client::BlockForceServiceClient,
        person_service_client::PersonServiceClient,
    },
    platform::v1::{ListEventsRequest, event_service_client::EventServiceClient},
};
use jiff::civil::{Date, date};
use tokio::{sync::Barrier, task::JoinSet};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::harness::{Service, date as wire, reason, service, uuid, with};

/// Invented: the area 310199 was never assigned.
const NUMBER: &str = "310199195112050137";

/// Committees `c1`, `c2` with a block each, the organisation `o1`, and the person `p1`.
async fn town() -> Service {
    let service = service(date(2020, 6, 1)).await;
    for n in ["1", "2"] {
        service.committee(&format!("c{n}"), date(2016, 1, 1)).await;
        service.block(&format!("b{n}"), &format!("c{n}"), date(2020, 1, 1)).await;
    }
    service
        .sql("insert into organisation (town, id, display_name, kind) select 'malu', 'o' || n, 'x', 'GROUP' from generate_series(1, 64) n")
        .await;
    let person =
        pb::Person { full_name: "钱甲子".to_owned(), citizen_id: NUMBER.to_owned(), ..Default::default() };
    let request = pb::CreatePersonRequest {
        parent: "towns/malu".to_owned(),
        person_id: "p1".to_owned(),
        person: Some(person),
        ..Default::default()
    };
    PersonServiceClient::new(service.peer.clone()).create_person(service.officer(request)).await.unwrap();
    service
}

fn forces(service: &Service) -> BlockForceServiceClient<chassis::peer::Peer> {
    BlockForceServiceClient::new(service.peer.clone())
}

async fn etag(service: &Service, block: &str) -> String {
    let request = pb::GetBlockRequest {
        name: format!("towns/malu/blocks/{block}"),
        as_of_date: Some(wire(date(2020, 1, 1))),
        ..Default::default()
    };
    service.blocks().get_block(service.officer(request)).await.unwrap().into_inner().etag
}

/// `o…` is an organisation, `p…` a person.
fn who(id: &str) -> (String, String) {
    match id.starts_with('o') {
        true => (format!("towns/malu/organisations/{id}"), String::new()),
        false => (String::new(), format!("towns/malu/people/{id}")),
    }
}

async fn joining(
    service: &Service,
    block: &str,
    kind: BlockForceKind,
    id: &str,
    days: (Date, Option<Date>),
) -> pb::JoinBlockRequest {
    let (organisation, person) = who(id);
    pb::JoinBlockRequest {
        name: format!("towns/malu/blocks/{block}"),
        etag: etag(service, block).await,
        request_id: uuid(),
        kind: kind.into(),
        organisation,
        person,
        contributions: vec![ForceDimension::Service.into(), ForceDimension::Resource.into()],
        start_date: Some(wire(days.0)),
        end_date: days.1.map(wire),
        ..Default::default()
    }
}

async fn join(
    service: &Service,
    block: &str,
    kind: BlockForceKind,
    id: &str,
    days: (Date, Option<Date>),
) -> Result<pb::BlockForce, Status> {
    let request = joining(service, block, kind, id, days).await;
    forces(service).join_block(service.officer(request)).await.map(tonic::Response::into_inner)
}

/// Who was gathered in `b1` on a day, as known at an instant, by id, with the number of dimensions.
async fn gathered(
    service: &Service,
    on: Date,
    read_time: Option<prost_types::Timestamp>,
) -> Vec<(String, usize)> {
    let request = pb::ListBlockForcesRequest {
        parent: "towns/malu".to_owned(),
        filter: "block = towns/malu/blocks/b1".to_owned(),
        as_of_date: Some(wire(on)),
        read_time,
        ..Default::default()
    };
    let found = forces(service).list_block_forces(service.officer(request)).await.unwrap().into_inner();
    let id = |force: &pb::BlockForce| format!("{}{}", force.organisation, force.person);
    let mut all: Vec<_> = found
        .block_forces
        .iter()
        .map(|force| (id(force).rsplit('/').next().unwrap().to_owned(), force.contributions.len()))
        .collect();
    all.sort();
    all
}

fn ids(pairs: &[(&str, usize)]) -> Vec<(String, usize)> {
    pairs.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect()
}

#[tokio::test]
async fn forces_join_leave_and_are_corrected_and_the_past_stays_readable() {
    use BlockForceKind::{CapableResident, Other, SocialOrganisation, Unit};
    let service = town().await;
    let open = (date(2020, 2, 1), None);
    let first = join(&service, "b1", SocialOrganisation, "o1", open).await.unwrap();
    assert_eq!(
        first.contributions,
        [i32::from(ForceDimension::Resource), ForceDimension::Service.into()],
        "in their order"
    );
    join(&service, "b1", CapableResident, "p1", (date(2020, 3, 1), Some(date(2020, 5, 1)))).await.unwrap();
    for (kind, id, days, expected) in [
        (Unit, "o1", (date(2020, 1, 1), Some(date(2020, 2, 2))), "FORCE_THERE"),
        (Other, "p1", open, "FORCE_THERE"),
        (CapableResident, "o2", open, "BAD_REQUEST"),
        (Unit, "p1", open, "BAD_REQUEST"),
        (Unit, "o2", (date(2019, 12, 31), None), "OUTSIDE_LIFE"),
        (Unit, "onone", open, "UNKNOWN_PARENT"),
        (Other, "pnone", open, "UNKNOWN_PARENT"),
    ] {
        let refused = join(&service, "b1", kind, id, days).await.unwrap_err();
        assert_eq!(reason(&refused), expected, "{kind:?} {id}: {refused:?}");
    }
    let mut both = joining(&service, "b1", Other, "o2", open).await;
    both.person = "towns/malu/people/p1".to_owned();
    let mut nothing = joining(&service, "b1", Other, "o2", open).await;
    nothing.contributions.clear();
    let mut unknown = joining(&service, "b1", Other, "o2", open).await;
    unknown.contributions.push(99);
    for (request, field) in
        [(both, "organisation"), (nothing, "contributions"), (unknown, "contributions[2]")]
    {
        let refused = forces(&service).join_block(service.officer(request)).await.unwrap_err();
        let details = refused.get_error_details();
        let fields: Vec<&str> =
            details.bad_request().unwrap().field_violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, [field]);
    }
    // the same organisation in another block is no matter
    join(&service, "b2", SocialOrganisation, "o1", open).await.unwrap();
    let leave = async |end: Date, why: &str| {
        let request = pb::LeaveBlockRequest {
            name: first.name.clone(),
            etag: etag(&service, "b1").await,
            request_id: uuid(),
            reason: why.to_owned(),
            end_date: Some(wire(end)),
            ..Default::default()
        };
        forces(&service).leave_block(service.officer(request)).await.map(tonic::Response::into_inner)
    };
    assert_eq!(reason(&leave(date(2020, 2, 1), "撤出").await.unwrap_err()), "OUTSIDE_LIFE");
    assert_eq!(leave(date(2020, 4, 1), " ").await.unwrap_err().code(), Code::InvalidArgument);
    let left = leave(date(2020, 4, 1), "撤出").await.unwrap();
    assert_eq!((left.end_date, left.reason.as_str()), (Some(wire(date(2020, 4, 1))), "撤出"));
    // the row that was believed is still there to read, and can't leave again
    let asked = pb::GetBlockForceRequest { name: first.name.clone() };
    let before = forces(&service).get_block_force(service.officer(asked)).await.unwrap().into_inner();
    assert!(before.end_date.is_none() && before.supersede_time.is_some());
    assert_eq!(leave(date(2020, 4, 1), "撤出").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(gathered(&service, date(2020, 3, 31), None).await, ids(&[("o1", 2), ("p1", 2)]));
    assert_eq!(gathered(&service, date(2020, 4, 1), None).await, ids(&[("p1", 2)]));
    let known = chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond());
    let correct = async |id: &str, kind: BlockForceKind, from: Date, to: Date| {
        let (organisation, person) = who(id);
        let request = pb::CorrectBlockForceRequest {
            name: "towns/malu/blocks/b1".to_owned(),
            etag: etag(&service, "b1").await,
            request_id: uuid(),
            reason: "补登".to_owned(),
            organisation,
            person,
            kind: kind.into(),
            contributions: match kind {
                BlockForceKind::Unspecified => Vec::new(),
                _ => vec![ForceDimension::Information.into()],
            },
            start_date: Some(wire(from)),
            end_date: Some(wire(to)),
            ..Default::default()
        };
        forces(&service).correct_block_force(service.officer(request)).await.unwrap().into_inner()
    };
    let corrected = correct("o1", SocialOrganisation, date(2020, 3, 15), date(2020, 4, 15)).await;
    assert_eq!(corrected.start_date, Some(wire(date(2020, 3, 15))));
    correct("p1", BlockForceKind::Unspecified, date(2020, 4, 10), date(2020, 4, 20)).await;
    assert_eq!(gathered(&service, date(2020, 4, 1), None).await, ids(&[("o1", 1), ("p1", 2)]));
    assert_eq!(gathered(&service, date(2020, 4, 12), None).await, ids(&[("o1", 1)]));
    assert_eq!(gathered(&service, date(2020, 4, 12), Some(known)).await, ids(&[("p1", 2)]));
    told_without_what_is_personal(&service).await;
    closing_ends_what_is_gathered(&service).await;
}

async fn told_without_what_is_personal(service: &Service) {
    let request = pb::ExportPersonRequest {
        name: "towns/malu/people/p1".to_owned(),
        purpose: "本人申请".to_owned(),
    };
    let mut people = PersonServiceClient::new(service.peer.clone());
    let file = people.export_person(service.officer(request)).await.unwrap().into_inner();
    assert_eq!(file.block_forces.len(), 3, "the row as it was and the two that were left");
    let context = &service.db.context;
    while chassis::seal::pass(&context.db, &[]).await.unwrap() > 0 {}
    let request = ListEventsRequest {
        parent: "services/governance".to_owned(),
        town: "towns/malu".to_owned(),
        ..Default::default()
    };
    let events = EventServiceClient::new(service.peer.clone()).list_events(service.officer(request)).await;
    let told = format!("{:?}", events.unwrap().into_inner());
    for kind in ["forceJoined", "forceLeft", "forceCorrected"] {
        assert!(told.contains(&format!("linli.governance.block.{kind}.v1")), "{kind}: {told}");
    }
    assert!(told.contains("towns/malu/people/p1") && !told.contains(NUMBER) && !told.contains("钱甲子"));
}

async fn closing_ends_what_is_gathered(service: &Service) {
    let request = pb::CloseBlockRequest {
        name: "towns/malu/blocks/b1".to_owned(),
        etag: etag(service, "b1").await,
        request_id: uuid(),
        end_date: Some(wire(date(2020, 4, 5))),
        ..Default::default()
    };
    service.blocks().close_block(service.officer(request)).await.unwrap();
    assert_eq!(gathered(service, date(2020, 4, 4), None).await, ids(&[("o1", 1), ("p1", 2)]));
    assert_eq!(gathered(service, date(2020, 4, 5), None).await, []);
    let late = join(service, "b1", BlockForceKind::Unit, "o2", (date(2020, 2, 1), None)).await.unwrap_err();
    assert_eq!(reason(&late), "WRONG_STATE");
}

#[tokio::test]
async fn forces_are_those_of_the_callers_area_page_by_page() {
    let service = town().await;
    let mut names = Vec::new();
    for (block, organisation) in [("b1", "o1"), ("b1", "o2"), ("b1", "o3"), ("b2", "o1")] {
        let open = (date(2020, 2, 1), None);
        names.push(join(&service, block, BlockForceKind::Unit, organisation, open).await.unwrap().name);
    }
    let token = service.token("officer", "committee-officer", "committee:c1");
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListBlockForcesRequest {
            parent: "towns/malu".to_owned(),
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = forces(&service).list_block_forces(with(request, &token)).await.unwrap().into_inner();
        seen.extend(page.block_forces.into_iter().map(|force| force.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    seen.sort();
    names.sort();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|name| names.contains(name)));
    let of_another = names.iter().find(|name| !seen.contains(name)).unwrap();
    for name in [of_another.clone(), format!("towns/malu/blockForces/{}", uuid())] {
        let asked = pb::GetBlockForceRequest { name: name.clone() };
        let refused = forces(&service).get_block_force(with(asked, &token)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let leave = pb::LeaveBlockRequest {
            name,
            etag: etag(&service, "b2").await,
            request_id: uuid(),
            reason: "x".to_owned(),
            end_date: Some(wire(date(2020, 4, 1))),
            ..Default::default()
        };
        let refused = forces(&service).leave_block(with(leave, &token)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let steward = service.token("steward", "steward", "block:b1");
    let request = joining(&service, "b1", BlockForceKind::Unit, "o9", (date(2020, 2, 1), None)).await;
    let refused = forces(&service).join_block(with(request, &steward)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    for (filter, expected) in [
        ("organisation = towns/malu/organisations/o1", 2),
        ("kind = UNIT AND block = towns/malu/blocks/b1", 3),
        ("person = towns/malu/people/p1", 0),
    ] {
        let request = pb::ListBlockForcesRequest {
            parent: "towns/malu".to_owned(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        let found = forces(&service).list_block_forces(service.officer(request)).await.unwrap().into_inner();
        assert_eq!(found.block_forces.len(), expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_forces_that_join_on_one_etag_one_does() {
    let service = Arc::new(town().await);
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    let seen = joining(&service, "b1", BlockForceKind::Unit, "o1", (date(2020, 2, 1), None)).await;
    for n in 1..=64 {
        let (service, barrier, mut request) = (service.clone(), barrier.clone(), seen.clone());
        (request.organisation, request.request_id) = (who(&format!("o{n}")).0, uuid());
        tasks.spawn(async move {
            barrier.wait().await;
            forces(&service).join_block(service.officer(request)).await
        });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => won += 1,
            Err(status) => assert_eq!(reason(&status), "ETAG_MISMATCH"),
        }
    }
    assert_eq!((won, gathered(&service, date(2020, 6, 1), None).await.len()), (1, 1));
}

#[tokio::test]
async fn a_force_is_one_thing_once_within_its_block_whoever_writes() {
    let service = town().await;
    let insert = |who: (&str, &str), kind: &str, brings: &str, valid: &str| {
        format!(
            "insert into block_force (town, id, block, kind, organisation, person, contributions, valid, recorded)
             values ('malu', gen_random_uuid(), 'b1', '{kind}', {}, {}, '{brings}', '{valid}', tstzrange(now(), null))",
            who.0, who.1
        )
    };
    let (o1, p1, s) = (("'o1'", "null"), ("null", "'p1'"), "{SERVICE}");
    service.sql(&insert(o1, "UNIT", s, "[2020-02-01,)")).await;
    service
        .sql(&insert(p1, "GRID_OFFICER", "{RESOURCE,INFORMATION,SERVICE}", "[2020-02-01,2020-03-01)"))
        .await;
    for (sql, refused) in [
        (insert(o1, "OTHER", s, "[2020-01-01,2020-02-02)"), "block_force_organisation_once"),
        (insert(p1, "OTHER", s, "[2020-02-29,)"), "block_force_person_once"),
        (insert(("'o2'", "'p1'"), "OTHER", s, "[2020-04-01,)"), "block_force_is_one"),
        (insert(("null", "null"), "OTHER", s, "[2020-04-01,)"), "block_force_is_one"),
        (insert(p1, "UNIT", s, "[2020-04-01,)"), "block_force_fits_its_kind"),
        (insert(("'o2'", "null"), "CAPABLE_RESIDENT", s, "[2020-04-01,)"), "block_force_fits_its_kind"),
        (insert(("'o2'", "null"), "NEIGHBOUR", s, "[2020-04-01,)"), "block_force_kind_check"),
        (insert(("'o2'", "null"), "UNIT", "{}", "[2020-04-01,)"), "block_force_contributes"),
        (insert(("'o2'", "null"), "UNIT", "{MONEY}", "[2020-04-01,)"), "block_force_contributes"),
        (insert(("'o2'", "null"), "UNIT", "{SERVICE,RESOURCE}", "[2020-04-01,)"), "block_force_contributes"),
        (insert(("'o2'", "null"), "UNIT", "{SERVICE,SERVICE}", "[2020-04-01,)"), "block_force_contributes"),
        (insert(("'o2'", "null"), "UNIT", s, "[2019-12-31,)"), "block_force_within_its_block"),
        (insert(("'nobody'", "null"), "UNIT", s, "[2020-04-01,)"), "block_force_town_organisation_fkey"),
        (
            "update block set life = '[2020-01-01,2020-05-01)';
             update stewardship set recorded = tstzrange(lower(recorded), clock_timestamp());
             update block_period set recorded = tstzrange(lower(recorded), clock_timestamp());
             insert into stewardship (town, id, block, valid, recorded, worker, kind)
             select town, gen_random_uuid(), id, life, tstzrange(clock_timestamp(), null), 'w-9', 'REGULAR' from block;
             insert into block_period (town, id, block, valid, recorded, committee, display_name)
             select town, gen_random_uuid(), id, life, tstzrange(clock_timestamp(), null), 'c1', 'x' from block"
                .to_owned(),
            "block_force_within_its_block",
        ),
        ("update block_force set kind = 'OTHER'".to_owned(), "history_is_kept"),
        ("update block_force set contributions = '{RESOURCE}'".to_owned(), "history_is_kept"),
    ] {
        let error = service.try_sql(&sql).await.expect_err(&sql);
        let constraint = error.as_database_error().and_then(|error| error.constraint()).unwrap_or_default();
        assert_eq!(constraint, refused, "{sql}: {error}");
    }
}
