//! Who sees which policies.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use tonic::Code;

use crate::harness::{date as wire, service, uuid};

#[tokio::test]
async fn an_adjuster_sees_the_policies_of_his_insurer_alone() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    let list = || pb::ListPoliciesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    for (insurer, own, other) in
        [("o-insurer-0", "cci-2020", "li-2020"), ("o-insurer-1", "li-2020", "cci-2020")]
    {
        let page = service.policies().list_policies(service.adjuster("a", insurer, list())).await.unwrap();
        let names: Vec<_> = page.into_inner().policies.into_iter().map(|policy| policy.name).collect();
        assert_eq!(names, [format!("towns/malu/policies/{own}")]);
        let get = |id: &str| pb::GetPolicyRequest { name: format!("towns/malu/policies/{id}") };
        let seen = service.policies().get_policy(service.adjuster("a", insurer, get(own))).await.unwrap();
        let seen = seen.into_inner();
        assert!(seen.available_actions.iter().all(|action| !action.allowed));
        for hidden in [other, "nothing"] {
            let request = service.adjuster("a", insurer, get(hidden));
            let status = service.policies().get_policy(request).await.unwrap_err();
            assert_eq!(status.code(), Code::PermissionDenied, "{hidden}");
        }
        let (name, etag) = (seen.name, seen.etag);
        let request = pb::TerminatePolicyRequest {
            name,
            etag,
            request_id: uuid(),
            termination_date: Some(wire(date(2020, 5, 1))),
            reason: "x".to_owned(),
            ..Default::default()
        };
        let status = service.policies().terminate_policy(service.adjuster("a", insurer, request)).await;
        assert_eq!(status.unwrap_err().code(), Code::PermissionDenied);
    }
    // whoever holds a part of the town sees what the town insures it with
    let page = service.policies().list_policies(service.of_committee("c", "c1", list())).await.unwrap();
    assert_eq!(page.into_inner().policies.len(), 2);
}
