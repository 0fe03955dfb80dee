//! Every RPC of every contract, called by whom it must refuse: nobody learns what exists.

use chassis::testing::walk::{Strangers, Walk};
use jiff::civil::date;
use tonic::Code;

use crate::harness::{reason, service, with};

/// Methods that are about no town, with why they answer.
const TOWNLESS: &[(&str, &str)] = &[
    ("ListTowns", "answers the caller's own towns only"),
    ("ListRoles", "the roles are the same everywhere"),
    ("GetCalendarPaper", "papers are national"),
    ("ListCalendarPapers", "papers are national"),
    ("ListCalendarDays", "papers are national"),
    ("ComputeTerm", "papers are national"),
];

/// Every RPC that governance has.
pub(crate) const WALK: Walk = Walk { service: "governance", text };

/// What stands in a field of governance's own that no path binds.
fn text(field: &str, id: &str) -> Option<String> {
    let of = |kind: &str| Some(format!("towns/malu/{kind}/{id}"));
    match field {
        "area" | "owner" => Some("towns/malu".to_owned()),
        "into" => of("committees"),
        "household" => of("households"),
        "estate" | "estates" => of("estates"),
        "building" | "buildings" => of("buildings"),
        // it ends as ids do, and is none
        "citizen_id" => Some("310199195112050137".to_owned()),
        "unified_social_credit_code" => Some("91310199MA90010063".to_owned()),
        "member" => Some("group:x".to_owned()),
        "role" => Some("steward".to_owned()),
        "table" => Some("committees".to_owned()),
        _ => None,
    }
}

#[tokio::test]
async fn every_rpc_refuses_strangers_and_tells_them_nothing() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service.block("c1", "c1", date(2020, 1, 1)).await;
    service.sql("insert into community (town, id, display_name) values ('malu', 'c1', '丙')").await;
    let strangers = Strangers {
        elsewhere: service.token("stranger", "administrator", "town:other"),
        powerless: service.token("adjuster", "adjuster", "malu"),
        allowed: &["governance.calendar.get", "governance.caller.get"],
        townless: TOWNLESS,
    };
    let seen = WALK.refuses(&service.peer, &strangers).await;
    assert!(seen > 90, "{seen} methods");
}

#[tokio::test]
async fn a_list_shows_the_callers_area_alone() {
    use contracts::linli::governance::v1 as pb;
    let service = service(date(2020, 6, 1)).await;
    for id in ["310114106001", "310114106002"] {
        service.committee(id, date(2016, 1, 1)).await;
    }
    service.block("b1", "310114106001", date(2020, 1, 1)).await;
    service.block("b2", "310114106002", date(2020, 1, 1)).await;
    let token = service.token("officer", "committee-officer", "310114106001");
    let request = pb::ListCommitteesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen =
        service.committees().list_committees(with(request, &token)).await.unwrap().into_inner().committees;
    assert_eq!(
        seen.iter().map(|committee| committee.name.as_str()).collect::<Vec<_>>(),
        ["towns/malu/committees/310114106001"]
    );
    let request = pb::ListBlocksRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = service.blocks().list_blocks(with(request, &token)).await.unwrap().into_inner().blocks;
    assert_eq!(seen.iter().map(|block| block.name.as_str()).collect::<Vec<_>>(), ["towns/malu/blocks/b1"]);
    for name in ["towns/malu/blocks/b2", "towns/malu/blocks/none"] {
        let request = pb::GetBlockRequest { name: name.to_owned(), ..Default::default() };
        assert_eq!(
            service.blocks().get_block(with(request, &token)).await.unwrap_err().code(),
            Code::PermissionDenied
        );
    }
}

#[tokio::test]
async fn nobody_grants_more_than_he_holds_and_the_first_administrator_is_named_once() {
    use contracts::linli::governance::v1::{
        self as pb, role_binding_service_client::RoleBindingServiceClient,
    };
    let service = service(date(2020, 6, 1)).await;
    let grant = async |role: &str, area: &str| {
        let binding = pb::RoleBinding {
            member: "principal:urn:x|y".to_owned(),
            role: role.to_owned(),
            area: area.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateRoleBindingRequest {
            parent: "towns/malu".to_owned(),
            role_binding: Some(binding),
            request_id: crate::harness::uuid(),
            validate_only: false,
        };
        RoleBindingServiceClient::new(service.peer.clone())
            .create_role_binding(service.officer(request))
            .await
            .map(|_| ())
    };
    assert!(grant("committee-officer", "towns/malu").await.is_ok());
    for (role, area) in
        [("administrator", "towns/malu"), ("auditor", "towns/malu"), ("committee-officer", "everywhere")]
    {
        assert_eq!(reason(&grant(role, area).await.unwrap_err()), "MORE_THAN_HELD", "{role} in {area}");
    }
    let operator = chassis::testing::call(
        "ops",
        "operator",
        "towns/malu",
        "linli admin bootstrap",
        "public",
        &service.clock,
    );
    let first =
        governance::access::bootstrap(&service.db.context, &operator, "malu", "urn:x|first").await.unwrap();
    assert_eq!(first.role, "administrator");
    let second = governance::access::bootstrap(&service.db.context, &operator, "malu", "urn:x|second")
        .await
        .unwrap_err();
    assert_eq!(second.reason().name, "BOOTSTRAPPED");
}
