//! Bodies: founded where their kind may be, seats taken and given up, who sat there on a day.

use contracts::linli::governance::v1::{
    self as pb, body_service_client::BodyServiceClient, membership_service_client::MembershipServiceClient,
};
use jiff::civil::{Date, date};
use tonic::{Code, Status};

use crate::harness::{Service, date as wire, reason, service, uuid, with};

async fn town() -> Service {
    let service = service(date(2020, 6, 1)).await;
    for n in ["1", "2"] {
        service.committee(&format!("c{n}"), date(2016, 1, 1)).await;
        service.estate(&format!("e{n}"), &format!("c{n}")).await;
    }
    service
        .sql("insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
              select 'malu', 'p' || n, '', '', '', decode(repeat('00', 32), 'hex'), decode(repeat(lpad(n::text, 2, '0'), 32), 'hex'), 1
              from generate_series(1, 9) n")
        .await;
    service
}

fn creation(id: &str, level: pb::BodyLevel, kind: &str, owner: &str) -> pb::CreateBodyRequest {
    let body = pb::Body {
        display_name: format!("组织 {id}"),
        level: level.into(),
        owner: owner.to_owned(),
        kind: kind.to_owned(),
        seats: 3,
        quorum: 2,
        start_date: Some(wire(date(2018, 7, 1))),
        ..Default::default()
    };
    pb::CreateBodyRequest {
        parent: "towns/malu".to_owned(),
        body_id: id.to_owned(),
        body: Some(body),
        ..Default::default()
    }
}

async fn etag(service: &Service, id: &str) -> String {
    let request = pb::GetBodyRequest { name: format!("towns/malu/bodies/{id}"), ..Default::default() };
    bodies(service).get_body(service.officer(request)).await.unwrap().into_inner().etag
}

fn bodies(service: &Service) -> BodyServiceClient<chassis::peer::Peer> {
    BodyServiceClient::new(service.peer.clone())
}

fn memberships(service: &Service) -> MembershipServiceClient<chassis::peer::Peer> {
    MembershipServiceClient::new(service.peer.clone())
}

async fn seat(
    service: &Service,
    seat: i32,
    person: &str,
    role: pb::MembershipRole,
    days: (Date, Date),
) -> Result<pb::Membership, Status> {
    let request = pb::SeatMemberRequest {
        name: "towns/malu/bodies/o1".to_owned(),
        etag: etag(service, "o1").await,
        request_id: uuid(),
        seat,
        person: format!("towns/malu/people/{person}"),
        role: role.into(),
        start_date: Some(wire(days.0)),
        end_date: Some(wire(days.1)),
        ..Default::default()
    };
    memberships(service).seat_member(service.officer(request)).await.map(tonic::Response::into_inner)
}

/// Who sat on `o1` on a day, by seat, as known at an instant.
async fn sat(service: &Service, on: Date, read_time: Option<prost_types::Timestamp>) -> Vec<(i32, String)> {
    let request = pb::ListMembershipsRequest {
        parent: "towns/malu".to_owned(),
        filter: "body = towns/malu/bodies/o1".to_owned(),
        as_of_date: Some(wire(on)),
        read_time,
        ..Default::default()
    };
    let found = memberships(service).list_memberships(service.officer(request)).await.unwrap().into_inner();
    let id = |name: String| name.trim_start_matches("towns/malu/people/").to_owned();
    found.memberships.into_iter().map(|its| (its.seat, id(its.person))).collect()
}

#[tokio::test]
async fn a_body_is_founded_where_its_kind_may_be() {
    let service = town().await;
    let create = async |request| bodies(&service).create_body(service.officer(request)).await;
    let owners = creation("o2", pb::BodyLevel::Estate, "OWNERS_COMMITTEE", "towns/malu/estates/e1");
    assert_eq!(create(owners).await.unwrap().into_inner().owner, "towns/malu/estates/e1");
    for (id, level, kind, owner, expected) in [
        ("x", pb::BodyLevel::Committee, "OWNERS_COMMITTEE", "towns/malu/committees/c1", "UNKNOWN_BODY_KIND"),
        ("x", pb::BodyLevel::Committee, "PARTY_BRANCH", "towns/malu/committees/none", "UNKNOWN_PARENT"),
        ("x", pb::BodyLevel::Committee, "PARTY_BRANCH", "towns/malu/estates/e1", "BAD_REQUEST"),
        ("o2", pb::BodyLevel::Estate, "OWNERS_COMMITTEE", "towns/malu/estates/e2", "ALREADY_EXISTS"),
    ] {
        let refused = create(creation(id, level, kind, owner)).await.unwrap_err();
        assert_eq!(reason(&refused), expected, "{kind} of {owner}");
    }
    let mut quorum = creation("x", pb::BodyLevel::Town, "OFFICE", "towns/malu");
    quorum.body.as_mut().unwrap().quorum = 4;
    assert_eq!(create(quorum).await.unwrap_err().code(), Code::InvalidArgument);
    let token = service.token("officer", "committee-officer", "committee:c1");
    for (request, allowed) in [
        (creation("o3", pb::BodyLevel::Committee, "PARTY_BRANCH", "towns/malu/committees/c1"), true),
        (creation("o4", pb::BodyLevel::Committee, "PARTY_BRANCH", "towns/malu/committees/c2"), false),
        (creation("o5", pb::BodyLevel::Estate, "OWNERS_COMMITTEE", "towns/malu/estates/e2"), false),
        (creation("o6", pb::BodyLevel::Town, "OFFICE", "towns/malu"), false),
    ] {
        let id = request.body_id.clone();
        assert_eq!(bodies(&service).create_body(with(request, &token)).await.is_ok(), allowed, "{id}");
    }
    create(creation("o7", pb::BodyLevel::Community, "COMMUNITY_COMMITTEE", "towns/malu/communities/a"))
        .await
        .unwrap();
    create(creation("o8", pb::BodyLevel::Committee, "PARTY_BRANCH", "towns/malu/committees/c2"))
        .await
        .unwrap();
    let request = pb::ListBodiesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = bodies(&service).list_bodies(with(request, &token)).await.unwrap().into_inner().bodies;
    let seen: Vec<&str> =
        seen.iter().map(|body| body.name.trim_start_matches("towns/malu/bodies/")).collect();
    assert_eq!(seen, ["o2", "o3", "o7"]);
    let dissolve = pb::DissolveBodyRequest {
        name: "towns/malu/bodies/o7".to_owned(),
        etag: etag(&service, "o7").await,
        request_id: uuid(),
        end_date: Some(wire(date(2020, 7, 1))),
        ..Default::default()
    };
    let refused = bodies(&service).dissolve_body(with(dissolve.clone(), &token)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    bodies(&service).dissolve_body(service.officer(dissolve)).await.unwrap();
}

#[tokio::test]
async fn seats_are_taken_given_up_filled_again_and_corrected() {
    use pb::MembershipRole::{Chair, Member};
    let service = town().await;
    let created = creation("o1", pb::BodyLevel::Committee, "RESIDENTS_COMMITTEE", "towns/malu/committees/c1");
    bodies(&service).create_body(service.officer(created)).await.unwrap();
    let term = (date(2018, 7, 1), date(2021, 7, 1));
    seat(&service, 1, "p1", Chair, term).await.unwrap();
    let second = seat(&service, 2, "p2", Member, term).await.unwrap();
    for (n, person, role, expected) in [
        (1, "p3", Member, "SEAT_TAKEN"),
        (3, "p1", Member, "SEATED_ALREADY"),
        (3, "p3", Chair, "CHAIR_TAKEN"),
        (4, "p3", Member, "NO_SUCH_SEAT"),
        (3, "nobody", Member, "UNKNOWN_PARENT"),
    ] {
        assert_eq!(
            reason(&seat(&service, n, person, role, term).await.unwrap_err()),
            expected,
            "{person} on {n}"
        );
    }
    let resigned = pb::EndMembershipRequest {
        name: second.name,
        etag: second.body_etag,
        request_id: uuid(),
        reason: "辞职".to_owned(),
        end_date: Some(wire(date(2020, 4, 1))),
        ..Default::default()
    };
    memberships(&service).end_membership(service.officer(resigned)).await.unwrap();
    seat(&service, 2, "p3", Member, (date(2020, 5, 10), date(2021, 7, 1))).await.unwrap();
    let of = |pairs: &[(i32, &str)]| pairs.iter().map(|(n, id)| (*n, (*id).to_owned())).collect::<Vec<_>>();
    assert_eq!(sat(&service, date(2020, 3, 31), None).await, of(&[(1, "p1"), (2, "p2")]));
    assert_eq!(sat(&service, date(2020, 4, 30), None).await, of(&[(1, "p1")]));
    assert_eq!(sat(&service, date(2020, 5, 10), None).await, of(&[(1, "p1"), (2, "p3")]));
    let known = chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond());
    let request = pb::CorrectMembershipRequest {
        name: "towns/malu/bodies/o1".to_owned(),
        etag: etag(&service, "o1").await,
        request_id: uuid(),
        reason: "补登".to_owned(),
        seat: 2,
        start_date: Some(wire(date(2020, 4, 1))),
        end_date: Some(wire(date(2020, 5, 10))),
        person: "towns/malu/people/p4".to_owned(),
        ..Default::default()
    };
    memberships(&service).correct_membership(service.officer(request)).await.unwrap();
    assert_eq!(sat(&service, date(2020, 4, 30), None).await, of(&[(1, "p1"), (2, "p4")]));
    assert_eq!(sat(&service, date(2020, 4, 30), Some(known)).await, of(&[(1, "p1")]));
    let body = async |on: Date| {
        let name = "towns/malu/bodies/o1".to_owned();
        let request = pb::GetBodyRequest { name, as_of_date: Some(wire(on)), ..Default::default() };
        bodies(&service).get_body(service.officer(request)).await.unwrap().into_inner()
    };
    let now = body(date(2020, 6, 1)).await;
    assert_eq!((now.seated, now.term_end_date), (2, Some(wire(date(2021, 7, 1)))));
    let fewer = pb::UpdateBodyRequest {
        body: Some(pb::Body { name: now.name.clone(), seats: 1, quorum: 1, ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["seats".to_owned(), "quorum".to_owned()] }),
        ..Default::default()
    };
    let refused = bodies(&service).update_body(service.officer(fewer)).await.unwrap_err();
    assert_eq!(reason(&refused), "SEATS_HELD");
    let dissolve = pb::DissolveBodyRequest {
        name: now.name,
        etag: now.etag,
        request_id: uuid(),
        end_date: Some(wire(date(2020, 7, 1))),
        ..Default::default()
    };
    bodies(&service).dissolve_body(service.officer(dissolve)).await.unwrap();
    assert_eq!(sat(&service, date(2020, 7, 1), None).await, []);
    assert_eq!(reason(&seat(&service, 3, "p5", Member, term).await.unwrap_err()), "WRONG_STATE");
}
