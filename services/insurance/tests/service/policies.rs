//! Programmes and policies: written by one, signed by another, never changed afterwards.

mod behind;
mod data;
mod faults;

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
async fn an_endorsement_holds_from_its_day_once_another_signed_it() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    let policy = service.policy("cci-2020").await;
    let mut terms = policy.terms.clone().unwrap();
    terms.benefits.push(pb::Benefit {
        peril: "GAS_LEAK".to_owned(),
        object: pb::BenefitObject::Person.into(),
        form: Some(pb::benefit::Form::Fixed(pb::FixedSum { sum: Some(fen(5_000_000)) })),
        waiting_days: 30,
        ..Default::default()
    });
    let premium = terms.premium.as_mut().unwrap();
    premium.instalments = vec![pb::Instalment {
        due_date: Some(wire(date(2020, 8, 1))),
        amount: Some(fen(6_000_000)),
        ..Default::default()
    }];
    for on in [date(2019, 12, 31), date(2021, 1, 1)] {
        let status = service.endorse("li", &policy, on, terms.clone()).await.unwrap_err();
        assert_eq!(reason(&status), "ENDORSEMENT_OUTSIDE_PERIOD", "{on}");
    }
    let status = service.sign("wang", &policy).await.unwrap_err();
    assert_eq!(reason(&status), "ENDORSEMENT_MISSING");

    let drafted = service.endorse("li", &policy, date(2020, 7, 1), terms.clone()).await.unwrap();
    assert_eq!((drafted.versions.len(), drafted.version), (2, 1));
    assert_eq!(drafted.premium_total, policy.premium_total, "nothing is added before it is signed");
    let status = service.endorse("li", &drafted, date(2020, 8, 1), terms.clone()).await.unwrap_err();
    assert_eq!(reason(&status), "ENDORSEMENT_PENDING");
    let status = service.terminate(&drafted, date(2020, 8, 1)).await.unwrap_err();
    assert_eq!(reason(&status), "ENDORSEMENT_PENDING");

    // thrown away, and drafted again
    let request = pb::DiscardEndorsementRequest {
        name: drafted.name.clone(),
        etag: drafted.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let bare =
        service.policies().discard_endorsement(service.officer("zhao", request)).await.unwrap().into_inner();
    assert_eq!(bare.versions.len(), 1);
    let drafted = service.endorse("li", &bare, date(2020, 7, 1), terms).await.unwrap();
    let signed = service.sign("wang", &drafted).await.unwrap();
    assert_eq!(signed.premium_total, Some(fen(60_000_000)));

    for (today, version, benefits) in
        [(date(2020, 6, 30), 1, 4), (date(2020, 7, 1), 2, 5), (date(2021, 5, 1), 2, 5)]
    {
        service.clock.set(today).unwrap();
        let policy = service.policy("cci-2020").await;
        assert_eq!((policy.version, policy.terms.unwrap().benefits.len()), (version, benefits), "{today}");
    }
    let verbs = service.policy("cci-2020").await.timeline;
    let verbs: Vec<_> = verbs.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["endorse", "discardEndorsement", "endorse", "sign"]);
}

#[tokio::test]
async fn an_instalment_is_paid_once() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let signed = service.signed("cci-2020", cci_2020()).await;
    assert_eq!(signed.instalments.len(), 2);
    let pay = async |policy: &pb::Policy, number, on| {
        let request = pb::MarkInstalmentPaidRequest {
            name: policy.name.clone(),
            etag: policy.etag.clone(),
            request_id: uuid(),
            number,
            pay_date: Some(wire(on)),
            reference: "回单-1".to_owned(),
            ..Default::default()
        };
        service.policies().mark_instalment_paid(service.officer("li", request)).await
    };
    let refused = pay(&signed, 1, date(2020, 3, 2)).await.unwrap_err();
    assert_eq!(reason(&refused), "BAD_REQUEST", "not in the future");
    let refused = pay(&signed, 3, date(2020, 3, 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "INSTALMENT_UNKNOWN");
    let paid = pay(&signed, 1, date(2020, 2, 28)).await.unwrap().into_inner();
    assert_eq!(
        (paid.instalments[0].pay_date, paid.instalments[0].reference.as_str(), paid.instalments[1].pay_date),
        (Some(wire(date(2020, 2, 28))), "回单-1", None)
    );
    let refused = pay(&paid, 1, date(2020, 3, 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "INSTALMENT_PAID");
    assert_ne!(paid.etag, signed.etag);
}

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

#[tokio::test]
async fn a_programme_with_policies_stays_and_its_rank_too() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let status = service.programme("third", "第三险种", 2).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_RANK_TAKEN");
    let update = |rank| pb::UpdateProgrammeRequest {
        programme: Some(pb::Programme {
            name: "towns/malu/programmes/cci".to_owned(),
            rank,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["rank".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let moved = service.programmes().update_programme(service.officer("li", update(7))).await.unwrap();
    assert_eq!(moved.into_inner().rank, 7);
    let delete = |id: &str| pb::DeleteProgrammeRequest {
        name: format!("towns/malu/programmes/{id}"),
        request_id: uuid(),
        ..Default::default()
    };
    service.draft("li", "cci-2020", cci_2020()).await.unwrap();
    let status =
        service.programmes().delete_programme(service.officer("li", delete("cci"))).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_IN_USE");
    let draft = service.policy("cci-2020").await;
    service.sign("wang", &draft).await.unwrap();
    let status = service.programmes().update_programme(service.officer("li", update(8))).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_IN_USE");

    // one without policies goes, and gives its rank away
    let gone = service
        .programmes()
        .delete_programme(service.officer("li", delete("li")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(gone.state(), pb::ProgrammeState::Deleted);
    let status = service.draft("li", "li-2020", li_2020()).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_UNKNOWN");
    service.programme("third", "第三险种", 2).await.unwrap();
    let undelete = pb::UndeleteProgrammeRequest {
        name: gone.name.clone(),
        etag: gone.etag,
        request_id: uuid(),
        ..Default::default()
    };
    let status = service.programmes().undelete_programme(service.officer("li", undelete)).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_RANK_TAKEN");
    let get = pb::GetProgrammeRequest { name: gone.name };
    let seen = service.programmes().get_programme(service.officer("li", get)).await.unwrap().into_inner();
    assert_eq!(seen.timeline.len(), 2);
    let list = pb::ListProgrammesRequest {
        parent: "towns/malu".to_owned(),
        filter: "state = \"ACTIVE\"".to_owned(),
        ..Default::default()
    };
    let page =
        service.programmes().list_programmes(service.adjuster("a", "o-insurer-0", list)).await.unwrap();
    let ranks: Vec<_> = page.into_inner().programmes.into_iter().map(|programme| programme.rank).collect();
    assert_eq!(ranks, [7, 2]);
}
