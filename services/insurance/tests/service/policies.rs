//! Programmes and policies: written by one, signed by another, never changed afterwards.

mod behind;
mod data;
mod endorsements;
mod faults;
mod programmes;
mod sight;

use contracts::linli::{
    common::v1::Obstacle,
    insurance::v1::{
        self as pb, PolicyState, policy_service_client::PolicyServiceClient,
        programme_service_client::ProgrammeServiceClient,
    },
};
use jiff::civil::{Date, date};
use tonic::{Code, Status};

use crate::harness::{Service, date as wire, fen, reason, service, uuid, with};
use data::{cci_2020, li_2020};

impl Service {
    fn programmes(&self) -> ProgrammeServiceClient<chassis::peer::Peer> {
        ProgrammeServiceClient::new(self.peer.clone())
    }

    pub(crate) fn policies(&self) -> PolicyServiceClient<chassis::peer::Peer> {
        PolicyServiceClient::new(self.peer.clone())
    }

    async fn programme(&self, id: &str, display_name: &str, rank: i32) -> Result<pb::Programme, Status> {
        let request = pb::CreateProgrammeRequest {
            parent: "towns/malu".to_owned(),
            programme_id: id.to_owned(),
            programme: Some(pb::Programme {
                display_name: display_name.to_owned(),
                rank,
                ..Default::default()
            }),
            request_id: uuid(),
            ..Default::default()
        };
        Ok(self.programmes().create_programme(self.officer("li", request)).await?.into_inner())
    }

    /// Both programmes, without policies.
    async fn both_programmes(&self) {
        self.programme("cci", "社区综合保险", 1).await.unwrap();
        self.programme("li", "民生综合保险", 2).await.unwrap();
    }

    async fn draft(&self, who: &str, id: &str, policy: pb::Policy) -> Result<pb::Policy, Status> {
        let request = pb::CreatePolicyRequest {
            parent: "towns/malu".to_owned(),
            policy_id: id.to_owned(),
            policy: Some(policy),
            request_id: uuid(),
            ..Default::default()
        };
        Ok(self.policies().create_policy(self.officer(who, request)).await?.into_inner())
    }

    async fn sign(&self, who: &str, policy: &pb::Policy) -> Result<pb::Policy, Status> {
        let (name, etag) = (policy.name.clone(), policy.etag.clone());
        let request = pb::SignPolicyRequest { name, etag, request_id: uuid(), ..Default::default() };
        Ok(self.policies().sign_policy(self.officer(who, request)).await?.into_inner())
    }

    async fn signed(&self, id: &str, policy: pb::Policy) -> pb::Policy {
        let draft = self.draft("li", id, policy).await.unwrap();
        self.sign("wang", &draft).await.unwrap()
    }

    async fn endorse(
        &self,
        who: &str,
        policy: &pb::Policy,
        from: Date,
        terms: pb::PolicyTerms,
    ) -> Result<pb::Policy, Status> {
        let request = pb::EndorsePolicyRequest {
            name: policy.name.clone(),
            etag: policy.etag.clone(),
            request_id: uuid(),
            from_date: Some(wire(from)),
            terms: Some(terms),
            reason: "扩大保障".to_owned(),
            ..Default::default()
        };
        Ok(self.policies().endorse_policy(self.officer(who, request)).await?.into_inner())
    }

    async fn terminate(&self, policy: &pb::Policy, on: Date) -> Result<pb::Policy, Status> {
        let request = pb::TerminatePolicyRequest {
            name: policy.name.clone(),
            etag: policy.etag.clone(),
            request_id: uuid(),
            termination_date: Some(wire(on)),
            reason: "更换承保公司".to_owned(),
            ..Default::default()
        };
        Ok(self.policies().terminate_policy(self.officer("li", request)).await?.into_inner())
    }

    async fn policy(&self, id: &str) -> pb::Policy {
        let request = pb::GetPolicyRequest { name: format!("towns/malu/policies/{id}") };
        self.policies().get_policy(self.officer("sun", request)).await.unwrap().into_inner()
    }

    /// Names of the policies that a filter finds.
    async fn found(&self, filter: &str) -> Vec<String> {
        let request = pb::ListPoliciesRequest {
            parent: "towns/malu".to_owned(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        let page = self.policies().list_policies(self.officer("sun", request)).await;
        let page = page.unwrap_or_else(|status| panic!("{filter}: {status:?}")).into_inner();
        page.policies.into_iter().map(|policy| policy.name.replace("towns/malu/policies/", "")).collect()
    }
}

/// Drafts the contract of the first scheme for 2021.
pub(crate) async fn draft_of_2021(service: &Service) -> Result<(), Status> {
    let (start_date, end_date) = (Some(wire(date(2021, 1, 1))), Some(wire(date(2022, 1, 1))));
    let mut policy = pb::Policy { number: "CCI-2021".to_owned(), start_date, end_date, ..cci_2020() };
    let premium = policy.terms.as_mut().and_then(|terms| terms.premium.as_mut());
    premium.unwrap().instalments.clear();
    service.draft("li", "cci-2021", policy).await.map(drop)
}

/// Every verb of programmes and policies, once.
pub(crate) async fn each_verb(service: &Service) {
    let (mut programmes, mut policies) = (service.programmes(), service.policies());
    macro_rules! of {
        ($request:ident, $thing:expr) => {
            pb::$request {
                name: $thing.name.clone(),
                etag: $thing.etag.clone(),
                request_id: uuid(),
                ..Default::default()
            }
        };
    }
    let made = service.programme("pilot", "试点保险", 9).await.unwrap();
    let update = pb::UpdateProgrammeRequest {
        programme: Some(pb::Programme { display_name: "试点险".to_owned(), ..made }),
        request_id: uuid(),
        ..Default::default()
    };
    let made = programmes.update_programme(service.officer("li", update)).await.unwrap().into_inner();
    let gone = of!(DeleteProgrammeRequest, made);
    let gone = programmes.delete_programme(service.officer("li", gone)).await.unwrap().into_inner();
    let back = of!(UndeleteProgrammeRequest, gone);
    let made = programmes.undelete_programme(service.officer("li", back)).await.unwrap().into_inner();

    let policy = pb::Policy { programme: made.name, number: "P-2020".to_owned(), ..cci_2020() };
    let draft = service.draft("li", "pilot-2020", policy).await.unwrap();
    let update = pb::UpdatePolicyRequest {
        policy: Some(pb::Policy { number: "P-2020-A".to_owned(), ..draft }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["number".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let draft = policies.update_policy(service.officer("li", update)).await.unwrap().into_inner();
    let gone = of!(DeletePolicyRequest, draft);
    let gone = policies.delete_policy(service.officer("li", gone)).await.unwrap().into_inner();
    let back = of!(UndeletePolicyRequest, gone);
    let draft = policies.undelete_policy(service.officer("li", back)).await.unwrap().into_inner();
    let signed = service.sign("wang", &draft).await.unwrap();
    let paid = pb::MarkInstalmentPaidRequest {
        version: 1,
        number: 1,
        pay_date: Some(wire(service.clock.today())),
        reference: "回单-1".to_owned(),
        ..of!(MarkInstalmentPaidRequest, signed)
    };
    let paid = policies.mark_instalment_paid(service.officer("zhao", paid)).await.unwrap().into_inner();
    let from = service.clock.today().tomorrow().unwrap();
    let endorsed = service.endorse("li", &paid, from, cci_2020().terms.unwrap()).await.unwrap();
    let discard = of!(DiscardEndorsementRequest, endorsed);
    let kept = policies.discard_endorsement(service.officer("li", discard)).await.unwrap().into_inner();
    service.terminate(&kept, from).await.unwrap();
}

fn verb<'a>(policy: &'a pb::Policy, verb: &str) -> &'a contracts::linli::common::v1::AvailableAction {
    policy.available_actions.iter().find(|action| action.verb == verb).unwrap()
}

#[tokio::test]
async fn the_two_schemes_are_drafted_changed_signed_and_run_their_year() {
    let service = service(date(2019, 12, 20)).await;
    service.both_programmes().await;
    let draft = service.draft("li", "cci-2020", cci_2020()).await.unwrap();
    assert_eq!((draft.state(), draft.version), (PolicyState::Draft, 1));
    let terms = draft.terms.clone().unwrap();
    assert_eq!(terms.benefits, cci_2020().terms.unwrap().benefits, "the table as it was given");
    assert_eq!(draft.premium_total, Some(fen(54_000_000)), "60,000 households, 9 yuan each");

    let request = pb::UpdatePolicyRequest {
        policy: Some(pb::Policy {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            number: "CCI-2020-A".to_owned(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["number".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let changed = service.policies().update_policy(service.officer("zhao", request)).await;
    let changed = changed.unwrap().into_inner();
    assert_eq!((changed.number.as_str(), changed.terms.clone()), ("CCI-2020-A", Some(terms)));

    let signed = service.sign("wang", &changed).await.unwrap();
    assert_eq!((signed.state(), signed.sign_date), (PolicyState::Signed, Some(wire(date(2019, 12, 20)))));
    let li = service.signed("li-2020", li_2020()).await;
    assert_eq!(li.premium_total, Some(fen(156_000_000)));

    // the state follows from the day alone
    for (today, state, filter) in [
        (date(2019, 12, 31), PolicyState::Signed, "SIGNED"),
        (date(2020, 1, 1), PolicyState::InForce, "IN_FORCE"),
        (date(2020, 12, 31), PolicyState::InForce, "IN_FORCE"),
        (date(2021, 1, 1), PolicyState::Expired, "EXPIRED"),
    ] {
        service.clock.set(today).unwrap();
        let policy = service.policy("cci-2020").await;
        assert_eq!(policy.state(), state, "{today}");
        assert_eq!(policy.versions[0].in_force, state == PolicyState::InForce);
        for other in ["SIGNED", "IN_FORCE", "EXPIRED"] {
            let found = service.found(&format!("state = \"{other}\"")).await.len();
            assert_eq!(found, if other == filter { 2 } else { 0 }, "{today} {other}");
        }
    }
    let policy = service.policy("cci-2020").await;
    let verbs: Vec<_> = policy.timeline.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["create", "update", "sign"]);
    assert_eq!(service.found("programme = \"towns/malu/programmes/li\"").await, ["li-2020"]);
    assert_eq!(service.found("insurer = \"towns/malu/organisations/o-insurer-0\"").await, ["cci-2020"]);
    assert_eq!(service.found("year = 2020").await.len(), 2);
    assert!(service.found("year = 2021").await.is_empty());
}

#[tokio::test]
async fn whoever_wrote_some_of_it_signs_nothing_of_it() {
    let service = service(date(2020, 1, 10)).await;
    service.both_programmes().await;
    let draft = service.draft("li", "cci-2020", cci_2020()).await.unwrap();
    let request = pb::UpdatePolicyRequest {
        policy: Some(pb::Policy { name: draft.name.clone(), etag: draft.etag.clone(), ..cci_2020() }),
        request_id: uuid(),
        ..Default::default()
    };
    let draft =
        service.policies().update_policy(service.officer("zhao", request)).await.unwrap().into_inner();
    for who in ["li", "zhao"] {
        let status = service.sign(who, &draft).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "MAKER_IS_CHECKER"));
    }
    // one person behind two logins, and who asks learns it before
    let again = service.login("li-2", "li", "town-officer", "malu");
    let request = pb::SignPolicyRequest {
        name: draft.name.clone(),
        etag: draft.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let status = service.policies().sign_policy(with(request, &again)).await.unwrap_err();
    assert_eq!(reason(&status), "MAKER_IS_CHECKER");
    let get = pb::GetPolicyRequest { name: draft.name.clone() };
    let seen = service.policies().get_policy(with(get, &again)).await.unwrap().into_inner();
    assert_eq!((verb(&seen, "sign").allowed, verb(&seen, "sign").obstacle()), (false, Obstacle::FourEyes));
    assert!(verb(&seen, "update").allowed && !verb(&seen, "terminate").allowed);

    // an endorsement has writers of its own
    let signed = service.sign("wang", &draft).await.unwrap();
    let endorsed =
        service.endorse("wang", &signed, date(2020, 3, 1), cci_2020().terms.unwrap()).await.unwrap();
    assert_eq!(reason(&service.sign("wang", &endorsed).await.unwrap_err()), "MAKER_IS_CHECKER");
    assert!(service.sign("li", &endorsed).await.is_ok());
}

#[tokio::test]
async fn two_policies_of_a_programme_never_overlap() {
    let service = service(date(2019, 12, 20)).await;
    service.both_programmes().await;
    let first = service.signed("cci-2020", cci_2020()).await;
    let mut next = cci_2020();
    next.number = "CCI-2020-B".to_owned();
    (next.start_date, next.end_date) = (Some(wire(date(2020, 12, 31))), Some(wire(date(2021, 12, 31))));
    let draft = service.draft("li", "cci-2021", next.clone()).await.unwrap();
    let status = service.sign("wang", &draft).await.unwrap_err();
    assert_eq!(reason(&status), "POLICY_OVERLAPS");
    assert!(status.message().contains(&first.name) || format!("{status:?}").contains("cci-2020"));
    let seen = service.policy("cci-2021").await;
    assert_eq!(verb(&seen, "sign").obstacle(), Obstacle::Missing);
    // the other programme is another matter
    assert_eq!(service.signed("li-2020", li_2020()).await.state(), PolicyState::Signed);

    // a termination cuts the days, and the successor begins
    service.clock.set(date(2020, 12, 1)).unwrap();
    let first = service.policy("cci-2020").await;
    let ended = service.terminate(&first, date(2020, 12, 31)).await.unwrap();
    assert_eq!(
        (ended.state(), ended.termination_date, ended.end_date),
        (PolicyState::Terminated, Some(wire(date(2020, 12, 31))), first.end_date)
    );
    assert!(ended.versions[0].in_force, "until that day");
    let second = service.sign("wang", &draft).await.unwrap();
    assert_eq!(second.state(), PolicyState::Signed);
    service.clock.set(date(2020, 12, 31)).unwrap();
    assert!(!service.policy("cci-2020").await.versions[0].in_force);
    assert_eq!(service.policy("cci-2021").await.state(), PolicyState::InForce);
}

#[tokio::test]
async fn of_two_signatures_at_once_one_holds() {
    let service = service(date(2019, 12, 20)).await;
    service.both_programmes().await;
    let mut drafts = Vec::new();
    for n in 0..4 {
        let policy = pb::Policy { number: format!("CCI-{n}"), ..cci_2020() };
        drafts.push(service.draft("li", &format!("cci-{n}"), policy).await.unwrap());
    }
    let signed = futures_util::future::join_all(drafts.iter().map(|draft| service.sign("wang", draft))).await;
    assert_eq!(signed.iter().filter(|done| done.is_ok()).count(), 1);
    for refused in signed.into_iter().filter_map(Result::err) {
        assert_eq!(reason(&refused), "POLICY_OVERLAPS");
    }
}

#[tokio::test]
async fn a_policy_ends_today_or_later_never_before() {
    let service = service(date(2020, 6, 1)).await;
    service.schemes().await;
    let policy = service.policy("cci-2020").await;
    for on in [date(2020, 5, 31), date(2021, 1, 1)] {
        let status = service.terminate(&policy, on).await.unwrap_err();
        assert_eq!(reason(&status), "TERMINATION_OUTSIDE_PERIOD", "{on}");
    }
    let ended = service.terminate(&policy, date(2020, 6, 1)).await.unwrap();
    assert_eq!(ended.termination_reason, "更换承保公司");
    let status = service.terminate(&ended, date(2020, 7, 1)).await.unwrap_err();
    assert_eq!(reason(&status), "WRONG_STATE");

    // one that is ended on its first day never comes into force, and leaves its days to another
    let next = pb::Policy {
        number: "N".to_owned(),
        start_date: Some(wire(date(2020, 9, 1))),
        end_date: Some(wire(date(2021, 9, 1))),
        ..cci_2020()
    };
    let never = service.signed("cci-a", next.clone()).await;
    service.terminate(&never, date(2020, 9, 1)).await.unwrap();
    let other = service.signed("cci-b", pb::Policy { number: "M".to_owned(), ..next }).await;
    assert_eq!(other.state(), PolicyState::Signed);
}

#[tokio::test]
async fn a_draft_is_taken_away_and_brought_back() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let draft = service.draft("li", "cci-2020", cci_2020()).await.unwrap();
    let request = pb::DeletePolicyRequest {
        name: draft.name.clone(),
        etag: draft.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let gone = service.policies().delete_policy(service.officer("li", request)).await.unwrap().into_inner();
    assert_eq!(gone.state(), PolicyState::Deleted);
    assert_eq!(reason(&service.sign("wang", &gone).await.unwrap_err()), "WRONG_STATE");
    // its number is free meanwhile
    let other = service.draft("li", "cci-b", cci_2020()).await.unwrap();
    let undelete = || pb::UndeletePolicyRequest {
        name: gone.name.clone(),
        etag: gone.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let status = service.policies().undelete_policy(service.officer("li", undelete())).await.unwrap_err();
    assert_eq!(reason(&status), "POLICY_NUMBER_TAKEN");
    let request = pb::DeletePolicyRequest { name: other.name, request_id: uuid(), ..Default::default() };
    service.policies().delete_policy(service.officer("li", request)).await.unwrap();
    let back = service.policies().undelete_policy(service.officer("li", undelete())).await.unwrap();
    assert_eq!(back.into_inner().state(), PolicyState::Draft);
}
