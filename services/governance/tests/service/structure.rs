//! What the structure lacks, the card, the town at a glance, names by pinyin: of the demonstration town, loaded by import.

use contracts::linli::governance::v1::{
    self as pb, body_kind_service_client::BodyKindServiceClient,
    structure_service_client::StructureServiceClient,
};
use jiff::civil::{Date, date};
use tonic::Code;

use crate::harness::{Service, date as wire, reason, service, with};

const XIWANG: &str = "towns/malu/committees/310114106026";
const YULAN: &str = "towns/malu/committees/310114106001";
const DAY: Date = date(2020, 6, 1);

/// The demonstration town on 2020-12-01.
pub(crate) async fn demo() -> Service {
    let service = service(date(2020, 12, 1)).await;
    service.sql("delete from community; delete from town where town = 'malu'").await;
    governance::demo::load(&service.db.context, &service.clock).await.unwrap();
    service
}

fn structures(service: &Service) -> StructureServiceClient<chassis::peer::Peer> {
    StructureServiceClient::new(service.peer.clone())
}

fn check(name: &str) -> pb::CheckStructureRequest {
    pb::CheckStructureRequest {
        name: name.to_owned(),
        as_of_date: Some(wire(DAY)),
        page_size: 1_000,
        ..Default::default()
    }
}

async fn checked(service: &Service, request: pb::CheckStructureRequest) -> pb::CheckStructureResponse {
    structures(service).check_structure(service.officer(request)).await.unwrap().into_inner()
}

/// Rule, resource, kind, since.
fn told(finding: &pb::Finding) -> (pb::FindingRule, &str, &str, Option<Date>) {
    let since = finding
        .since_date
        .as_ref()
        .map(|day| Date::new(day.year as i16, day.month as i8, day.day as i8).unwrap());
    (finding.rule(), finding.resource.trim_start_matches("towns/malu/"), &finding.body_kind, since)
}

#[tokio::test]
async fn the_check_finds_what_the_demonstration_hides() {
    let service = demo().await;
    let found = checked(&service, check(XIWANG)).await;
    let all: Vec<_> = found.findings.iter().map(told).collect();
    let founded = Some(date(2016, 8, 19));
    assert_eq!(
        all,
        [
            (pb::FindingRule::BodyMissing, "committees/310114106026", "PROJECT_GROUP", founded),
            (
                pb::FindingRule::SeatVacant,
                "bodies/body-026-owners",
                "OWNERS_COMMITTEE",
                Some(date(2018, 7, 1))
            ),
            (pb::FindingRule::BlockForces, "blocks/b-026-3", "", Some(date(2020, 1, 1))),
        ]
    );
    let seats: Vec<i32> = found.findings[1].seats.iter().map(|seat| seat.seat).collect();
    assert_eq!((seats, found.findings[1].clause.as_str()), (vec![5, 6, 7], "Work points 1.3"));
    assert_eq!(found.findings[0].clause, "Work points 2.3");
    assert!(found.findings[0].message.contains("自治项目小组"), "{}", found.findings[0].message);
    assert!(checked(&service, check(YULAN)).await.findings.is_empty());
    // the by-election of 2020: a seat was vacant between two members
    let vacant =
        pb::CheckStructureRequest { as_of_date: Some(wire(date(2020, 4, 20))), ..check("towns/malu") };
    let found = checked(&service, vacant).await;
    let gap = found.findings.iter().filter(|finding| finding.rule() == pb::FindingRule::SeatVacant);
    let gap: Vec<_> = gap.map(told).filter(|(.., since)| *since == Some(date(2020, 4, 1))).collect();
    assert_eq!(gap.len(), 1, "{gap:?}");
}

#[tokio::test]
async fn terms_that_end_within_the_notice_are_found_and_a_town_sets_its_own_rules() {
    let service = demo().await;
    let near = |days| pb::CheckStructureRequest {
        as_of_date: Some(wire(date(2021, 6, 1))),
        term_notice_days: days,
        rules: vec![pb::FindingRule::TermEnding.into()],
        ..check(YULAN)
    };
    assert_eq!(checked(&service, near(29)).await.findings.len(), 0);
    let found = checked(&service, near(30)).await;
    assert_eq!(found.findings.len(), 11);
    assert!(found.findings.iter().all(|finding| finding.due_date == Some(wire(date(2021, 7, 1)))));
    // by default 90 days; the town says 20
    assert_eq!(checked(&service, near(0)).await.findings.len(), 11);
    let settings = pb::StructureSettings {
        name: "towns/malu/structureSettings".to_owned(),
        term_notice_days: 20,
        block_forces: 0,
        etag: "v0".to_owned(),
    };
    let update = pb::UpdateStructureSettingsRequest { settings: Some(settings), ..Default::default() };
    let kept = structures(&service).update_structure_settings(service.officer(update.clone())).await.unwrap();
    assert_eq!((kept.get_ref().term_notice_days, kept.get_ref().etag.as_str()), (20, "v1"));
    assert_eq!(checked(&service, near(0)).await.findings.len(), 0);
    assert!(
        checked(&service, check(XIWANG))
            .await
            .findings
            .iter()
            .all(|f| f.rule() != pb::FindingRule::BlockForces)
    );
    let stale = structures(&service).update_structure_settings(service.officer(update)).await.unwrap_err();
    assert_eq!(reason(&stale), "ETAG_MISMATCH");
    // what a PATCH does not name stays
    let one = pb::StructureSettings {
        name: "towns/malu/structureSettings".to_owned(),
        block_forces: 3,
        ..Default::default()
    };
    let mask = prost_types::FieldMask { paths: vec!["block_forces".to_owned()] };
    let request = pb::UpdateStructureSettingsRequest {
        settings: Some(one),
        update_mask: Some(mask),
        ..Default::default()
    };
    let kept = structures(&service).update_structure_settings(service.officer(request)).await.unwrap();
    assert_eq!((kept.get_ref().term_notice_days, kept.get_ref().block_forces), (20, 3));
    for unknown in [0, 99] {
        let request = pb::CheckStructureRequest { rules: vec![unknown], ..check(YULAN) };
        let refused = structures(&service).check_structure(service.officer(request)).await.unwrap_err();
        assert_eq!(reason(&refused), "BAD_REQUEST");
    }
    // what each level must have is data
    let mut kinds = BodyKindServiceClient::new(service.peer.clone());
    let name = "towns/malu/bodyKinds/committee-project-group".to_owned();
    let kind = pb::BodyKind { name, minimum: 0, ..Default::default() };
    let request = pb::UpdateBodyKindRequest { body_kind: Some(kind), ..Default::default() };
    assert!(kinds.update_body_kind(service.officer(request)).await.unwrap().into_inner().town_specific);
    assert!(
        checked(&service, check(XIWANG))
            .await
            .findings
            .iter()
            .all(|f| f.rule() != pb::FindingRule::BodyMissing)
    );
    let list =
        pb::ListBodyKindsRequest { parent: "towns/malu".to_owned(), page_size: 20, ..Default::default() };
    let first = kinds.list_body_kinds(service.officer(list.clone())).await.unwrap().into_inner();
    let list = pb::ListBodyKindsRequest { page_token: first.next_page_token, ..list };
    let rest = kinds.list_body_kinds(service.officer(list)).await.unwrap().into_inner();
    assert_eq!((first.body_kinds.len(), rest.body_kinds.len(), rest.next_page_token.as_str()), (20, 8, ""));
}

#[tokio::test]
async fn a_check_is_paged_counted_and_shows_each_caller_his_areas() {
    let service = demo().await;
    let whole = checked(&service, check("towns/malu")).await;
    let mut paged = Vec::new();
    let mut request = pb::CheckStructureRequest { page_size: 100, ..check("towns/malu") };
    loop {
        let page = checked(&service, request.clone()).await;
        assert_eq!(page.counts, whole.counts);
        paged.extend(page.findings);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(paged, whole.findings);
    let counted: i32 = whole.counts.iter().map(|count| count.findings).sum();
    assert_eq!(usize::try_from(counted).unwrap(), paged.len());
    let officer = service.token("officer-b", "community-officer", "community:baiyin");
    let seen = async |name: &str| {
        structures(&service)
            .check_structure(with(check(name), &officer))
            .await
            .map(tonic::Response::into_inner)
    };
    let own = seen("towns/malu").await.unwrap();
    assert!(own.findings.iter().all(|finding| finding.community == "towns/malu/communities/baiyin"));
    assert_eq!(own.findings, seen("towns/malu/communities/baiyin").await.unwrap().findings);
    for other in ["towns/malu/communities/jibang", YULAN, "towns/malu/committees/nothing", "towns/other"] {
        assert_eq!(seen(other).await.unwrap_err().code(), Code::PermissionDenied, "{other}");
    }
}

#[tokio::test]
async fn a_card_counts_what_the_files_hold() {
    let service = demo().await;
    let request = pb::GetCommitteeCardRequest {
        name: YULAN.to_owned(),
        as_of_date: Some(wire(DAY)),
        ..Default::default()
    };
    let card = structures(&service).get_committee_card(service.officer(request)).await.unwrap().into_inner();
    assert_eq!(card.notice, "示例数据");
    assert_eq!(card.committee.as_ref().unwrap().household_count.as_ref().unwrap().households, 1_999);
    assert_eq!((card.registered_households, card.residents), expected("310114106001"));
    assert_eq!(card.registered_residents + card.permit_residents, card.residents);
    let by_age: i32 = card.ages.iter().map(|group| group.men + group.women + group.unknown).sum();
    assert_eq!(by_age, card.residents);
    let blocks: Vec<_> = card
        .blocks
        .iter()
        .map(|b| (b.block.rsplit('/').next().unwrap(), b.steward_worker.rsplit('/').next().unwrap()))
        .collect();
    assert_eq!(blocks, [("b-001-1", "w-007"), ("b-001-2", "w-010"), ("b-001-3", "w-013")]);
    let households: i32 = card.blocks.iter().map(|block| block.households).sum();
    assert_eq!(households, card.registered_households);
    assert_eq!((card.bodies.len(), card.estates.len(), card.finding_count), (11, 2, 0));
    assert!(card.bodies.iter().all(|body| body.seats == body.seated && body.term_end_date.is_some()));
}

/// Households and residents of a committee on [`DAY`], read from the files alone.
fn expected(committee: &str) -> (i32, i32) {
    let read = |text: &'static str| {
        text.lines().skip(1).map(|line| line.trim_end().split(',').collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let estates = read(include_str!("../../../../deploy/demo/estates.csv"));
    let buildings = read(include_str!("../../../../deploy/demo/buildings.csv"));
    let households = read(include_str!("../../../../deploy/demo/households.csv"));
    let residents = read(include_str!("../../../../deploy/demo/residents.csv"));
    let estates: Vec<&str> = estates.iter().filter(|row| row[2] == committee).map(|row| row[0]).collect();
    let buildings: Vec<&str> =
        buildings.iter().filter(|row| estates.contains(&row[1])).map(|row| row[0]).collect();
    let households: Vec<&str> =
        households.iter().filter(|row| buildings.contains(&row[1])).map(|row| row[0]).collect();
    let day = DAY.to_string();
    let mut people: Vec<&str> = residents
        .iter()
        .filter(|row| {
            households.contains(&row[5])
                && row[7] <= day.as_str()
                && (row[8].is_empty() || row[8] > day.as_str())
        })
        .map(|row| row[0])
        .collect();
    people.sort_unstable();
    people.dedup();
    (i32::try_from(households.len()).unwrap(), i32::try_from(people.len()).unwrap())
}

#[tokio::test]
async fn the_town_at_a_glance_adds_up() {
    let service = demo().await;
    let request = pb::GetTownOverviewRequest {
        name: "towns/malu".to_owned(),
        as_of_date: Some(wire(DAY)),
        ..Default::default()
    };
    let town =
        structures(&service).get_town_overview(service.officer(request.clone())).await.unwrap().into_inner();
    assert_eq!((town.communities.len(), town.town_bodies, town.notice.as_str()), (5, 6, "示例数据"));
    let sum = |of: &dyn Fn(&pb::CommunityAtAGlance) -> i32| town.communities.iter().map(of).sum::<i32>();
    // the third committee in preparation begins on 2020-06-15
    assert_eq!((sum(&|c| c.founded), sum(&|c| c.preparing), sum(&|c| c.blocks)), (51, 2, 9));
    let listed = pb::ListCommitteesRequest {
        parent: "towns/malu".to_owned(),
        page_size: 1_000,
        as_of_date: Some(wire(DAY)),
        ..Default::default()
    };
    let listed =
        service.committees().list_committees(service.officer(listed)).await.unwrap().into_inner().committees;
    let declared: i64 = listed
        .iter()
        .filter_map(|c| c.household_count.as_ref())
        .map(|count| i64::from(count.households))
        .sum();
    assert_eq!(town.communities.iter().map(|c| c.declared_households).sum::<i64>(), declared);
    let found = checked(&service, check("towns/malu")).await;
    let counted = |counts: &[pb::RuleCount]| counts.iter().map(|count| count.findings).sum::<i32>();
    let all =
        counted(&town.town_findings) + town.communities.iter().map(|c| counted(&c.findings)).sum::<i32>();
    assert_eq!(all, counted(&found.counts));
    let officer = service.token("officer-b", "community-officer", "community:baiyin");
    let own = structures(&service).get_town_overview(with(request, &officer)).await.unwrap().into_inner();
    assert_eq!(
        own.communities.iter().map(|c| c.community.as_str()).collect::<Vec<_>>(),
        ["towns/malu/communities/baiyin"]
    );
    assert_eq!((own.town_bodies, own.town_findings.len()), (0, 0));
}

#[tokio::test]
async fn names_are_found_in_chinese_and_pinyin_within_the_callers_areas() {
    let service = demo().await;
    let committee_officer = service.token("officer-c", "committee-officer", "committee:310114106026");
    let find = async |query: &str, token: Option<&str>| {
        let request = pb::SearchNamesRequest {
            parent: "towns/malu".to_owned(),
            query: query.to_owned(),
            ..Default::default()
        };
        let request = match token {
            Some(token) => with(request, token),
            None => service.officer(request),
        };
        let answer = structures(&service).search_names(request).await.unwrap().into_inner();
        answer
            .results
            .into_iter()
            .map(|named| named.resource.trim_start_matches("towns/malu/").to_owned())
            .collect::<Vec<_>>()
    };
    for query in ["育兰社区", "yulanshequ", "ylsq"] {
        assert_eq!(
            find(query, None).await.first().map(String::as_str),
            Some("committees/310114106001"),
            "{query}"
        );
    }
    assert!(find("qxf", None).await.contains(&"estates/e-qiuxiafang".to_owned()));
    assert!(find("xwyf", Some(&committee_officer)).await.contains(&"committees/310114106026".to_owned()));
    assert!(find("yulan", Some(&committee_officer)).await.is_empty());
    assert!(find("钱甲子", None).await.is_empty());
    let request = pb::SearchNamesRequest {
        parent: "towns/malu".to_owned(),
        query: " ' ".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        reason(&structures(&service).search_names(service.officer(request)).await.unwrap_err()),
        "BAD_REQUEST"
    );
}
