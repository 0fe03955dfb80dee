//! What a committee is told that it may spend on is what an application of it is let through with.

use contracts::linli::funding::v1::{self as pb, report_service_client::ReportServiceClient};
use jiff::civil::date;

use super::{APPLICANT, application, funded};
use crate::harness::reason;

#[tokio::test]
async fn the_categories_are_those_of_the_policy_in_force() {
    let service = funded(date(2020, 6, 1)).await;
    // as a policy that superseded another leaves it: what was paid on a category stays in the list of the year
    service
        .sql(
            "set local session_replication_role = replica;
             update policy_category set allowed = false where fund = 'WORK' and category = 'PUBLICITY'",
        )
        .await;
    let request = pb::GetSpendableRequest { name: "towns/malu/committees/c1".to_owned(), fiscal_year: 2020 };
    let mut reports = ReportServiceClient::new(service.peer.clone());
    let told = reports.get_spendable(service.of_committee("w-1", "c1", request)).await.unwrap().into_inner();
    let work = told.accounts.iter().find(|account| account.fund() == pb::Fund::Work).unwrap();
    let categories: Vec<&str> = work.categories.iter().map(|category| category.category.as_str()).collect();
    assert!(!categories.contains(&"PUBLICITY") && categories.contains(&"TRAINING"), "{categories:?}");
    for (category, expected) in [("PUBLICITY", "EARMARK_NOT_ALLOWED"), ("TRAINING", "")] {
        let answer = service.apply(APPLICANT, application("c1", pb::Fund::Work, category, 100)).await;
        assert_eq!(answer.err().map(|refused| reason(&refused)).unwrap_or_default(), expected, "{category}");
    }
}
