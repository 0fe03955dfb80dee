//! People: masked, found by a blind index, read in clear under audit, sealed anew, moved and corrected on two time axes.

use contracts::{
    google::longrunning as lro,
    linli::{
        governance::v1::{
            self as pb, person_service_client::PersonServiceClient,
            residence_service_client::ResidenceServiceClient,
        },
        platform::v1::{OperationState, operation_service_client::OperationServiceClient},
    },
};
use jiff::civil::{Date, date};
use prost::Message;
use tonic::Code;

use crate::harness::{Service, date as wire, reason, service, uuid, with};

/// Invented: the area 310199 was never assigned.
const NUMBERS: [&str; 2] = ["310199195112050137", "310199201705146677"];
const NAMES: [&str; 2] = ["钱甲子", "孙甲子"];

/// Committees `c1` and `c2` with a household each.
async fn town() -> Service {
    let service = service(date(2020, 6, 1)).await;
    for n in ["1", "2"] {
        service.committee(&format!("c{n}"), date(2016, 1, 1)).await;
        service.estate(&format!("e{n}"), &format!("c{n}")).await;
        service.building(&format!("u{n}"), &format!("e{n}"), None).await;
        service.household(&format!("h{n}"), &format!("u{n}"), "101").await;
    }
    service
}

fn people(service: &Service) -> PersonServiceClient<chassis::peer::Peer> {
    PersonServiceClient::new(service.peer.clone())
}

fn residences(service: &Service) -> ResidenceServiceClient<chassis::peer::Peer> {
    ResidenceServiceClient::new(service.peer.clone())
}

fn creation(n: usize) -> pb::CreatePersonRequest {
    let person = pb::Person {
        full_name: NAMES[n].to_owned(),
        citizen_id: NUMBERS[n].to_owned(),
        sex: pb::Sex::Male.into(),
        ..Default::default()
    };
    pb::CreatePersonRequest {
        parent: "towns/malu".to_owned(),
        person_id: format!("p{n}"),
        person: Some(person),
        request_id: uuid(),
        validate_only: false,
    }
}

async fn register(service: &Service, n: usize, household: &str, from: Date) -> pb::Residence {
    let residence = pb::Residence {
        person: format!("towns/malu/people/p{n}"),
        household: format!("towns/malu/households/{household}"),
        ground: pb::ResidenceGround::Registered.into(),
        start_date: Some(wire(from)),
        ..Default::default()
    };
    let request = pb::CreateResidenceRequest {
        parent: "towns/malu".to_owned(),
        residence: Some(residence),
        ..Default::default()
    };
    residences(service).create_residence(service.officer(request)).await.unwrap().into_inner()
}

fn name(n: usize) -> String {
    format!("towns/malu/people/p{n}")
}

#[tokio::test]
async fn a_person_is_masked_once_in_a_town_and_found_by_number_or_name() {
    let service = town().await;
    let created = people(&service).create_person(service.officer(creation(0))).await.unwrap().into_inner();
    assert_eq!((created.full_name.as_str(), created.citizen_id.as_str()), ("钱**", "310*************37"));
    assert!(created.masked && created.birth_date.is_none());
    let mut twice = creation(0);
    twice.person_id = "other".to_owned();
    let refused = people(&service).create_person(service.officer(twice)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "SAME_PERSON"));
    assert!(!format!("{refused:?}").contains(NUMBERS[0]));
    let mut wrong = creation(1);
    wrong.person.as_mut().unwrap().citizen_id = "310199195112050138".to_owned();
    let refused = people(&service).create_person(service.officer(wrong)).await.unwrap_err();
    assert!(refused.code() == Code::InvalidArgument && !format!("{refused:?}").contains("5112050138"));
    people(&service).create_person(service.officer(creation(1))).await.unwrap();
    let search = async |citizen_id: &str, full_name: &str, token: Option<&str>| {
        let request = pb::SearchPeopleRequest {
            parent: "towns/malu".to_owned(),
            citizen_id: citizen_id.to_owned(),
            full_name: full_name.to_owned(),
            ..Default::default()
        };
        let request = match token {
            Some(token) => with(request, token),
            None => service.officer(request),
        };
        let found = people(&service).search_people(request).await.unwrap().into_inner().people;
        found.into_iter().map(|person| (person.name, person.masked)).collect::<Vec<_>>()
    };
    assert_eq!(search(NUMBERS[1], "", None).await, [(name(1), true)]);
    assert_eq!(search("", NAMES[0], None).await, [(name(0), true)]);
    assert_eq!(search("", "钱", None).await, []);
    // a steward finds by name only who lives in his block's areas, by the whole number everybody
    let token = service.token("officer", "committee-officer", "committee:c1");
    let token =
        if search("", NAMES[0], Some(&token)).await.is_empty() { token } else { panic!("out of the area") };
    assert_eq!(search(NUMBERS[0], "", Some(&token)).await, [(name(0), true)]);
}

#[tokio::test]
async fn reading_in_clear_is_permitted_audited_and_told_to_the_person() {
    let service = town().await;
    people(&service).create_person(service.officer(creation(0))).await.unwrap();
    register(&service, 0, "h1", date(2016, 1, 1)).await;
    let request = |purpose: &str| pb::RevealPersonRequest { name: name(0), purpose: purpose.to_owned() };
    let clear =
        people(&service).reveal_person(service.officer(request("核对户籍"))).await.unwrap().into_inner();
    assert_eq!(
        (clear.full_name.as_str(), clear.citizen_id.as_str(), clear.masked),
        (NAMES[0], NUMBERS[0], false)
    );
    assert_eq!(clear.birth_date, Some(wire(date(1951, 12, 5))));
    let steward = service.token("steward", "steward", "committee:c1");
    let refused = people(&service).reveal_person(with(request("好奇"), &steward)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let elsewhere = service.token("officer2", "committee-officer", "committee:c2");
    let refused = people(&service).reveal_person(with(request("好奇"), &elsewhere)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let empty = people(&service).reveal_person(service.officer(request("  "))).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    let request = pb::ExportPersonRequest { name: name(0), purpose: "本人申请".to_owned() };
    let file = people(&service).export_person(service.officer(request)).await.unwrap().into_inner();
    let purposes: Vec<&str> = file.readings.iter().map(|reading| reading.purpose.as_str()).collect();
    assert_eq!(purposes, ["核对户籍", "本人申请"]);
    assert_eq!((file.residences.len(), file.timeline.len()), (1, 2));
    service.sql("do $$ begin assert (select count(*) = 2 from audit where summary like 'read towns/malu/people/p0%'); end $$").await;
}

#[tokio::test]
async fn a_person_reads_what_is_kept_about_them_and_nothing_else() {
    let service = town().await;
    for n in [0, 1] {
        people(&service).create_person(service.officer(creation(n))).await.unwrap();
    }
    register(&service, 0, "h1", date(2016, 1, 1)).await;
    let own = service.token("p0", "resident", "person:p0");
    let file = async |n: usize| {
        let request = pb::ExportPersonRequest { name: name(n), purpose: "本人查询".to_owned() };
        people(&service).export_person(with(request, &own)).await.map(tonic::Response::into_inner)
    };
    let mine = file(0).await.unwrap();
    assert_eq!(mine.person.unwrap().citizen_id, NUMBERS[0]);
    assert_eq!((mine.residences.len(), mine.readings[0].purpose.as_str()), (1, "本人查询"));
    assert_eq!(file(1).await.unwrap_err().code(), Code::PermissionDenied);
    let search = pb::SearchPeopleRequest {
        parent: "towns/malu".to_owned(),
        citizen_id: NUMBERS[1].to_owned(),
        ..Default::default()
    };
    let refused = people(&service).search_people(with(search, &own)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn nothing_personal_is_stored_or_told_in_clear_and_a_new_key_seals_anew() {
    let service = town().await;
    people(&service).create_person(service.officer(creation(0))).await.unwrap();
    register(&service, 0, "h1", date(2016, 1, 1)).await;
    // every column of every table, as text and as bytes
    let find = "do $$ declare t record; hits bigint; begin
        for t in select table_name, column_name from information_schema.columns where table_schema = 'governance' loop
            execute format('select count(*) from %I where strpos(%I::text, $1) > 0 or strpos(%I::text, $2) > 0 or strpos(%I::text, encode(convert_to($1, ''UTF8''), ''hex'')) > 0',
                t.table_name, t.column_name, t.column_name, t.column_name) into hits using '钱甲子', '310199195112050137';
            assert hits = 0, t.table_name || '.' || t.column_name;
        end loop; end $$";
    service.sql(find).await;
    service.sql("update person set key = key + 1").await;
    let request = pb::ReencryptPeopleRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    let begun = people(&service).reencrypt_people(service.officer(request)).await.unwrap().into_inner();
    assert!(service.worker.pass().await.unwrap());
    let asked = contracts::linli::platform::v1::GetOperationRequest { name: begun.name };
    let done = OperationServiceClient::new(service.peer.clone())
        .get_operation(service.officer(asked))
        .await
        .unwrap();
    let Some(lro::operation::Result::Response(any)) = done.into_inner().result else { panic!("not done") };
    assert_eq!(
        pb::ReencryptReport::decode(any.value.as_slice()).unwrap(),
        pb::ReencryptReport { people: 1, key: 1 }
    );
    let _ = OperationState::Succeeded;
    let request = pb::RevealPersonRequest { name: name(0), purpose: "核对".to_owned() };
    let clear = people(&service).reveal_person(service.officer(request)).await.unwrap().into_inner();
    assert_eq!(clear.full_name, NAMES[0]);
}

#[tokio::test]
async fn somebody_moves_is_corrected_and_every_past_answer_is_still_given() {
    let service = town().await;
    people(&service).create_person(service.officer(creation(1))).await.unwrap();
    let before_birth = pb::CreateResidenceRequest {
        parent: "towns/malu".to_owned(),
        residence: Some(pb::Residence {
            person: name(1),
            household: "towns/malu/households/h1".to_owned(),
            ground: pb::ResidenceGround::Registered.into(),
            start_date: Some(wire(date(2017, 5, 13))),
            ..Default::default()
        }),
        ..Default::default()
    };
    let refused = residences(&service).create_residence(service.officer(before_birth)).await.unwrap_err();
    assert_eq!(reason(&refused), "BEFORE_BIRTH");
    let first = register(&service, 1, "h1", date(2017, 5, 14)).await;
    let at = async |on: Date, read_time: Option<prost_types::Timestamp>| {
        let request = pb::CheckResidenceRequest { name: name(1), as_of_date: Some(wire(on)), read_time };
        let check =
            residences(&service).check_residence(service.officer(request)).await.unwrap().into_inner();
        assert_eq!(check.resident, !check.residences.is_empty());
        check.residences.first().map(|place| {
            (
                place.residence.as_ref().unwrap().household.clone(),
                place.committee.clone(),
                place.community.clone(),
            )
        })
    };
    let place = |n: u8| {
        let of = |kind: &str, id: String| format!("towns/malu/{kind}/{id}");
        Some((
            of("households", format!("h{n}")),
            of("committees", format!("c{n}")),
            of("communities", "a".to_owned()),
        ))
    };
    let request = pb::MovePersonRequest {
        name: name(1),
        etag: first.person_etag,
        request_id: uuid(),
        effective_date: Some(wire(date(2020, 3, 1))),
        household: "towns/malu/households/h2".to_owned(),
        ground: pb::ResidenceGround::Registered.into(),
        ..Default::default()
    };
    let moved = residences(&service).move_person(service.officer(request)).await.unwrap().into_inner();
    assert_eq!((at(date(2020, 2, 29), None).await, at(date(2020, 3, 1), None).await), (place(1), place(2)));
    let known = chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond());
    let request = pb::CorrectResidenceRequest {
        name: name(1),
        etag: moved.person_etag,
        request_id: uuid(),
        reason: "登记有误".to_owned(),
        ground: pb::ResidenceGround::Registered.into(),
        start_date: Some(wire(date(2020, 2, 1))),
        end_date: Some(wire(date(2020, 3, 1))),
        household: "towns/malu/households/h2".to_owned(),
        ..Default::default()
    };
    let corrected =
        residences(&service).correct_residence(service.officer(request)).await.unwrap().into_inner();
    assert_eq!(
        (at(date(2020, 2, 29), None).await, at(date(2020, 2, 29), Some(known)).await),
        (place(2), place(1))
    );
    let request = pb::EndResidenceRequest {
        name: {
            let asked = pb::ListResidencesRequest {
                parent: "towns/malu".to_owned(),
                filter: format!("person = {}", name(1)),
                ..Default::default()
            };
            let found =
                residences(&service).list_residences(service.officer(asked)).await.unwrap().into_inner();
            assert_eq!(found.residences.len(), 1);
            found.residences[0].name.clone()
        },
        etag: corrected.person_etag,
        request_id: uuid(),
        end_date: Some(wire(date(2020, 5, 1))),
        ..Default::default()
    };
    residences(&service).end_residence(service.officer(request)).await.unwrap();
    assert_eq!((at(date(2020, 4, 30), None).await, at(date(2020, 5, 1), None).await), (place(2), None));
}
