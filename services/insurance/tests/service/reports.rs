//! The questions: what was done through the API, counted by hand and by SQL of another kind.

mod caps;
mod legs;
mod plans;
mod scope;

use contracts::{
    google::r#type::Money,
    linli::insurance::v1::{self as pb, insurance_report_service_client::InsuranceReportServiceClient},
};
use jiff::civil::date;

use crate::{
    claims::{As, Event, fire, in_fen, step},
    harness::{self, Service, reason, service},
};

const TOWN: &str = "towns/malu";

impl Service {
    pub(crate) fn reports(&self) -> InsuranceReportServiceClient<chassis::peer::Peer> {
        InsuranceReportServiceClient::new(self.peer.clone())
    }
}

fn money(fen: i64) -> Option<Money> {
    Some(harness::fen(fen))
}

fn loss_ratios() -> pb::GetLossRatiosRequest {
    pb::GetLossRatiosRequest { parent: TOWN.to_owned(), ..Default::default() }
}

fn rejections() -> pb::ListRejectionReasonsRequest {
    pb::ListRejectionReasonsRequest { parent: TOWN.to_owned(), ..Default::default() }
}

fn benefits() -> pb::ListBenefitsByCommitteeRequest {
    pb::ListBenefitsByCommitteeRequest { parent: TOWN.to_owned(), ..Default::default() }
}

fn unclaimed() -> pb::ListUnclaimedByCommitteeRequest {
    pb::ListUnclaimedByCommitteeRequest { parent: TOWN.to_owned(), ..Default::default() }
}

fn caps(min_used_ppm: i32) -> pb::ListExhaustedCapsRequest {
    pb::ListExhaustedCapsRequest { parent: TOWN.to_owned(), min_used_ppm, ..Default::default() }
}

fn legs(from: jiff::civil::Date, to: jiff::civil::Date) -> pb::GetLegDurationsRequest {
    pb::GetLegDurationsRequest {
        parent: TOWN.to_owned(),
        start_date: Some(harness::date(from)),
        end_date: Some(harness::date(to)),
        committee: String::new(),
    }
}

/// A year of six events, on 1 September: a fire in `h-1` that both schemes have paid (30,000 and 40,000 yuan), a burst pipe in
/// `h-2` that is approved (4,106.66), a car that met `r-6`, who lives nowhere and gets nothing, a fire in `h-3` that isn't decided, a
/// typhoon in `h-1` that is withdrawn, and one in `h-2` that nobody claims. Their claims, but for the last.
async fn year() -> (Service, Vec<pb::Claim>) {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let burnt = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let burnt = service.adjudicate(&burnt).await.unwrap();
    let burnt = service.noticed(&burnt).await;
    let burnt = service.pay(&burnt, "cci", 30_000_00).await.unwrap();
    let burnt = service.pay(&burnt, "li", 40_000_00).await.unwrap();

    service.clock.set(date(2020, 4, 13)).unwrap();
    let second = Event { person: "r-3", place: "h-2", household: "h-2", ..fire(date(2020, 4, 11)) };
    let pipe = service.assessed(Event { peril: "BURST_PIPE", ..second }, Some(5_333_33), 0).await;
    let pipe = service.adjudicate(&pipe).await.unwrap();
    let car = Event { peril: "HIT_AND_RUN", place: "胜辛路", person: "r-6", household: "", ..second };
    let car = service.assessed(car, Some(7_000_00), 0).await;
    let car = service.adjudicate(&car).await.unwrap();

    service.clock.set(date(2020, 7, 6)).unwrap();
    let third = Event { person: "r-5", place: "h-3", household: "h-3", ..fire(date(2020, 7, 2)) };
    let waits = service.claim(third, Some(1_000_00)).await;

    service.clock.set(date(2020, 8, 6)).unwrap();
    let typhoon = Event { peril: "TYPHOON", ..fire(date(2020, 8, 4)) };
    let taken_back = service.claim(typhoon, Some(9_000_00)).await;
    let withdraw = step!(WithdrawClaimRequest, taken_back);
    let by = service.officer("reporter", withdraw);
    let taken_back = service.claims().withdraw_claim(by).await.unwrap().into_inner();
    service.clock.set(date(2020, 8, 12)).unwrap();
    service.incident(Event { peril: "TYPHOON", on: date(2020, 8, 4), ..second }).await;
    service.clock.set(date(2020, 9, 1)).unwrap();
    (service, vec![burnt, pipe, car, waits, taken_back])
}

#[tokio::test]
async fn what_policies_pay_for_their_premium() {
    let (service, _) = year().await;
    let all = service.reports().get_loss_ratios(service.officer("reader", loss_ratios())).await;
    let all = all.unwrap().into_inner();
    assert_eq!((all.year, all.loss_ratios.len(), all.next_page_token.as_str()), (2020, 2, ""));
    let cci = pb::LossRatio {
        policy: "towns/malu/policies/cci-2020".to_owned(),
        policy_number: "CCI-2020".to_owned(),
        programme: "towns/malu/programmes/cci".to_owned(),
        insurer: "towns/malu/organisations/o-insurer-0".to_owned(),
        start_date: Some(harness::date(date(2020, 1, 1))),
        end_date: Some(harness::date(date(2021, 1, 1))),
        // 9 yuan for each of 60,000 households
        premium_amount: money(540_000_00),
        approved_amount: money(34_106_66),
        paid_amount: money(30_000_00),
        open_amount: money(4_106_66),
        approved_claims: 2,
        rejected_claims: 0,
        undecided_claims: 1,
        paid_ratio_ppm: Some(55_556),
        approved_ratio_ppm: Some(63_160),
    };
    assert_eq!(all.loss_ratios[0], cci);
    let li = &all.loss_ratios[1];
    // 16 yuan for each household, 4 for each of 150,000 people
    assert_eq!(
        [&li.premium_amount, &li.approved_amount, &li.paid_amount],
        [&money(1_560_000_00), &money(40_000_00), &money(40_000_00)]
    );
    assert_eq!((li.approved_claims, li.rejected_claims, li.undecided_claims), (1, 1, 1));
    assert_eq!((in_fen(li.open_amount.as_ref()), li.paid_ratio_ppm), (0, Some(25_641)));

    // by pages, by programme, of another year
    let asked = pb::GetLossRatiosRequest { page_size: 1, ..loss_ratios() };
    let first = service.reports().get_loss_ratios(service.officer("reader", asked.clone())).await;
    let first = first.unwrap().into_inner();
    let next = pb::GetLossRatiosRequest { page_token: first.next_page_token, ..asked.clone() };
    let second = service.reports().get_loss_ratios(service.officer("reader", next.clone())).await;
    let second = second.unwrap().into_inner();
    assert_eq!([first.loss_ratios, second.loss_ratios].concat(), all.loss_ratios);
    assert_eq!(second.next_page_token, "");
    let other = pb::GetLossRatiosRequest { year: 2019, ..next };
    let other = service.reports().get_loss_ratios(service.officer("reader", other)).await.unwrap_err();
    assert_eq!(reason(&other), "PAGE_TOKEN_INVALID");
    let programme = "towns/malu/programmes/li".to_owned();
    let one = pb::GetLossRatiosRequest { programme, ..loss_ratios() };
    let one = service.reports().get_loss_ratios(service.officer("reader", one)).await.unwrap().into_inner();
    assert_eq!(one.loss_ratios, all.loss_ratios[1..]);
    let before = pb::GetLossRatiosRequest { year: 2019, ..loss_ratios() };
    let before = service.reports().get_loss_ratios(service.officer("reader", before)).await;
    assert!(before.unwrap().into_inner().loss_ratios.is_empty());
    let elsewhere =
        pb::GetLossRatiosRequest { programme: "towns/other/programmes/li".to_owned(), ..loss_ratios() };
    let elsewhere = service.reports().get_loss_ratios(service.officer("reader", elsewhere)).await;
    assert_eq!(elsewhere.unwrap_err().code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn why_claims_are_rejected() {
    let (service, claims) = year().await;
    let all = service.reports().list_rejection_reasons(service.officer("reader", rejections())).await;
    let all = all.unwrap().into_inner().rejection_reasons;
    let told = |one: &pb::RejectionReason| (one.programme.clone(), one.rule.clone(), one.claims);
    let rule = "NOT_RESIDENT_ON_DAY".to_owned();
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        [(String::new(), rule.clone(), 1), ("towns/malu/programmes/li".to_owned(), rule.clone(), 1)]
    );
    assert!(all.iter().all(|one| one.claimed_amount == money(7_000_00) && one.clause.contains("3.4")));
    // the filter that is told lists just these claims
    let filter = all[0].claims_filter.clone();
    let list = pb::ListClaimsRequest { parent: TOWN.to_owned(), filter, ..Default::default() };
    let listed = service.claims().list_claims(service.officer("reader", list)).await.unwrap().into_inner();
    assert_eq!(listed.claims.iter().map(|claim| &claim.name).collect::<Vec<_>>(), [&claims[2].name]);
    assert_eq!(all[1].claims_filter, "");

    let first = pb::ListRejectionReasonsRequest { page_size: 1, ..rejections() };
    let page = service.reports().list_rejection_reasons(service.officer("reader", first.clone())).await;
    let page = page.unwrap().into_inner();
    assert_eq!(page.rejection_reasons, all[..1]);
    let next = pb::ListRejectionReasonsRequest { page_token: page.next_page_token, ..first };
    let page = service.reports().list_rejection_reasons(service.officer("reader", next)).await;
    assert_eq!(page.unwrap().into_inner().rejection_reasons, all[1..]);
    for (filter, many) in [
        ("peril = HIT_AND_RUN OR peril = FIRE", 2),
        ("peril = FIRE", 0),
        ("committee = \"towns/malu/committees/c1\"", 0),
    ] {
        let asked = pb::ListRejectionReasonsRequest { filter: filter.to_owned(), ..rejections() };
        let found = service.reports().list_rejection_reasons(service.officer("reader", asked)).await;
        let found = found.unwrap().into_inner().rejection_reasons;
        assert_eq!(found.len(), many, "{filter}");
        for one in found.iter().filter(|one| one.programme.is_empty()) {
            let filter = one.claims_filter.clone();
            let list = pb::ListClaimsRequest { parent: TOWN.to_owned(), filter, ..Default::default() };
            let listed = service.claims().list_claims(service.officer("reader", list)).await;
            assert_eq!(listed.unwrap().into_inner().claims.len(), 1);
        }
    }
    let before = pb::ListRejectionReasonsRequest { year: 2019, ..rejections() };
    let before = service.reports().list_rejection_reasons(service.officer("reader", before)).await;
    assert!(before.unwrap().into_inner().rejection_reasons.is_empty());
}

fn got(one: &pb::CommitteeBenefits) -> (&str, [i64; 6]) {
    let amounts = [&one.approved_amount, &one.paid_amount].map(|money| in_fen(money.as_ref()));
    let id = one.committee.rsplit('/').next().unwrap_or_default();
    (id, [one.claims, one.rejected_claims, amounts[0], amounts[1], one.households, one.paid_households])
}

#[tokio::test]
async fn what_families_got_in_each_committee_also_where_nobody_claimed() {
    let (service, _) = year().await;
    let all = service.reports().list_benefits_by_committee(service.officer("reader", benefits())).await;
    let all = all.unwrap().into_inner();
    assert_eq!(
        all.benefits.iter().map(got).collect::<Vec<_>>(),
        [("c1", [2, 0, 74_106_66, 70_000_00, 2, 1]), ("c2", [1, 0, 0, 0, 0, 0]), ("c3", [0, 0, 0, 0, 0, 0]),]
    );
    assert_eq!((all.benefits[2].display_name.as_str(), all.next_page_token.as_str()), ("居委会 c3", ""));
    assert_eq!(all.no_committee.as_ref().map(got), Some(("", [1, 1, 0, 0, 0, 0])));
    // nothing is lost between them
    let counted = all.benefits.iter().chain(&all.no_committee);
    let counted = counted
        .map(|one| got(one).1)
        .fold([0; 3], |[claims, approved, paid], one| [claims + one[0], approved + one[2], paid + one[3]]);
    let sums = [
        "select count(*) from claim where state <> 'WITHDRAWN'",
        "select sum(amount_fen)::bigint from claim_draw where cap = 'YEAR'",
        "select sum(amount_fen)::bigint from claim_payment",
    ];
    for (counted, sql) in counted.into_iter().zip(sums) {
        assert_eq!(counted, service.number(sql).await, "{sql}");
    }
    let (mut paged, mut token) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = pb::ListBenefitsByCommitteeRequest { page_size: 1, page_token: token, ..benefits() };
        let page = service.reports().list_benefits_by_committee(service.officer("reader", page)).await;
        let page = page.unwrap().into_inner();
        assert_eq!(page.no_committee, all.no_committee);
        paged.extend(page.benefits);
        token = page.next_page_token;
    }
    assert_eq!((paged, token.as_str()), (all.benefits, ""));
}

#[tokio::test]
async fn committees_that_are_gone_are_told_of_while_somebody_claimed_in_them() {
    let (service, _) = year().await;
    service
        .governance_sql("set local session_replication_role = replica; update committee_period set state = 'DISSOLVED' where committee in ('c2', 'c3')")
        .await;
    let ids = async |year| {
        let asked = pb::ListBenefitsByCommitteeRequest { year, ..benefits() };
        let all = service.reports().list_benefits_by_committee(service.officer("reader", asked)).await;
        let all = all.unwrap().into_inner();
        all.benefits.iter().map(|one| got(one).0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(2020).await, ["c1", "c2"]);
    assert_eq!(ids(2019).await, ["c1"]);
}

#[tokio::test]
async fn known_incidents_without_a_claim_are_counted_by_committee() {
    let (service, claims) = year().await;
    let ask = async |asked| {
        let found = service.reports().list_unclaimed_by_committee(service.officer("reader", asked)).await;
        found.unwrap().into_inner()
    };
    let all = ask(unclaimed()).await;
    // that of the claim that was withdrawn, and the one that nobody claimed
    let one = pb::UnclaimedCount {
        committee: "towns/malu/committees/c1".to_owned(),
        count: 2,
        unvisited_count: 2,
        overdue_visit_count: 0,
        oldest_incident: claims[4].incident.clone(),
        oldest_verify_date: Some(harness::date(date(2020, 8, 6))),
        waiting_days: 26,
    };
    assert_eq!(all.unclaimed_counts, std::slice::from_ref(&one));
    // as they are listed
    let list = pb::ListUnclaimedIncidentsRequest { parent: TOWN.to_owned(), ..Default::default() };
    let mut incidents = contracts::linli::insurance::v1::incident_service_client::IncidentServiceClient::new(
        service.peer.clone(),
    );
    let listed = incidents.list_unclaimed_incidents(service.officer("reader", list)).await.unwrap();
    assert_eq!(listed.into_inner().unclaimed_incidents.len(), 2);
    let days = |min_days| pb::ListUnclaimedByCommitteeRequest { min_days: Some(min_days), ..unclaimed() };
    assert_eq!(ask(days(26)).await.unclaimed_counts[0].count, 1);
    assert!(ask(days(27)).await.unclaimed_counts.is_empty());
    let of = |year| pb::ListUnclaimedByCommitteeRequest { year, ..unclaimed() };
    assert_eq!(ask(of(2020)).await, all);
    assert!(ask(of(2019)).await.unclaimed_counts.is_empty());
    // a visit that is overdue, and another committee behind
    service.sql("update incident set visitor = 'x', visit_due = '2020-08-31' where state = 'VERIFIED' and household = 'h-1'").await;
    service.clock.set(date(2020, 12, 1)).unwrap();
    let third = Event { person: "r-5", place: "h-3", household: "h-3", ..fire(date(2020, 11, 2)) };
    service.incident(third).await;
    service.clock.set(date(2020, 12, 8)).unwrap();
    let first = ask(pb::ListUnclaimedByCommitteeRequest { page_size: 1, ..unclaimed() }).await;
    let overdue = pb::UnclaimedCount { overdue_visit_count: 1, waiting_days: 124, ..one };
    assert_eq!(first.unclaimed_counts, [overdue]);
    let page_token = first.next_page_token;
    let second = ask(pb::ListUnclaimedByCommitteeRequest { page_size: 1, page_token, ..unclaimed() }).await;
    let second = second.unclaimed_counts;
    assert_eq!((second[0].committee.as_str(), second[0].count), ("towns/malu/committees/c2", 1));
}
