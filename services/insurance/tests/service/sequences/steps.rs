//! How what may happen is done.

use contracts::linli::insurance::v1::{
    self as pb, incident_service_client::IncidentServiceClient, policy_service_client::PolicyServiceClient,
};
use jiff::{ToSpan, civil::Date, civil::date};
use tonic::{Response, Status};

use super::{
    Life, Met,
    acts::{Act, Do, PEOPLE, PERILS, WHO},
};
use crate::{
    claims::{self, As, in_fen, step},
    harness::{date as wire, fen, uuid},
};

const INSURERS: [&str; 2] = ["o-insurer-0", "o-insurer-1"];
const PROGRAMMES: [&str; 2] = ["cci", "li"];
const POLICIES: [&str; 2] = ["cci-2020", "li-2020"];

impl Life<'_> {
    /// A day that something happened on; the last ones are of late.
    fn day(&self, n: usize) -> Date {
        let days = [date(2019, 12, 31), date(2020, 2, 14), date(2020, 3, 2), date(2020, 3, 3)];
        let ago = i64::try_from(n).unwrap() - 4;
        days.get(n).copied().unwrap_or_else(|| self.today.checked_sub((ago * 3).days()).unwrap())
    }

    pub(super) async fn act(&mut self, act: &Act) {
        let of = |n: usize| self.open(n);
        match act {
            Act::Report { .. } => self.report(act).await,
            Act::Onward { claim, steps, who, amount } => {
                if let Some(at) = of(*claim) {
                    for n in 0..i64::from(*steps) {
                        let refused = self.refused.len();
                        self.onward(at, *who, *amount + n).await;
                        if self.refused.len() > refused {
                            break;
                        }
                    }
                }
            }
            Act::Step { claim, verb, who, amount, stale } => {
                if let Some(at) = of(*claim) {
                    self.step(at, *verb, WHO[*who], *amount, *stale).await;
                }
            }
            Act::Pay { claim, programme, off, ago, right, who } => {
                // those whose turn it is, more often than not
                let noticed =
                    (0..self.claims.len()).filter(|at| self.claims[*at].state() == pb::ClaimState::Notice);
                let noticed: Vec<usize> = noticed.collect();
                let at = noticed.get(claim % noticed.len().max(1)).copied().or(of(*claim));
                if let Some(at) = at {
                    self.pay(at, *programme, (*off, *ago), *right, WHO[*who]).await;
                }
            }
            Act::Days(days) => {
                self.pass(self.today.checked_add(i64::from(*days).days()).unwrap());
            }
            Act::Move { person, household, until } => self.moved(*person, *household, *until).await,
            Act::Endorse { policy, limit, yuan, from, signer } => {
                self.endorse(*policy, *limit, *yuan, *from, *signer).await;
            }
            Act::Terminate { policy, ahead } => self.terminate(*policy, *ahead).await,
        }
    }

    /// Days pass until a day.
    fn pass(&mut self, until: Date) {
        self.today = self.today.max(until);
        self.service.clock.set(self.today).unwrap();
    }

    /// One of the claims that are still alive, the later ones first; now and then one that has ended.
    fn open(&self, n: usize) -> Option<usize> {
        use pb::ClaimState as In;
        let alive = |at: &usize| {
            n.is_multiple_of(16)
                || !matches!(self.claims[*at].state(), In::Closed | In::Withdrawn | In::Dismissed)
        };
        let alive: Vec<usize> = (0..self.claims.len()).rev().filter(alive).take(6).collect();
        alive.get(n % alive.len().max(1)).copied()
    }

    async fn report(&mut self, act: &Act) {
        let Act::Report { person, peril, place, day, claimed, again, part_of } = act else { return };
        let (person, household) = PEOPLE[person % PEOPLE.len()];
        let peril = PERILS[peril % PERILS.len()];
        let dwelling = ["FIRE", "TYPHOON", "BURST_PIPE"].contains(&peril);
        let place = match place {
            0 => "e-1",
            1 => "胜辛路",
            2 if dwelling => "e-1",
            _ if !household.is_empty() => household,
            _ => "e-2",
        };
        let met = Met { peril, on: self.day(*day), place, person, household };
        let met = match again.and_then(|n| self.happened.get(n % self.happened.len().max(1))) {
            Some((its, _)) if household == its.household => {
                Met { person, place: if day % 2 == 0 { place } else { its.place }, ..its.clone() }
            }
            Some((its, _)) => its.clone(),
            None => met,
        };
        let peril = met.peril;
        let known = self.happened.iter().find(|(its, _)| *its == met).map(|(_, name)| name.clone());
        let incident = match known {
            Some(name) => Some(name),
            None => {
                self.happen(
                    &met,
                    part_of.and_then(|n| {
                        self.happened.get(n % self.happened.len().max(1)).map(|(_, name)| name.clone())
                    }),
                )
                .await
            }
        };
        let Some(incident) = incident else { return };
        let fixed = ["DEATH", "DISABILITY", "RESCUE", "DROWNING"].contains(&peril);
        let claimed = (!fixed).then_some(claimed * 100);
        let draft = self.service.claim_draft(&incident, met.event(), claimed);
        let service = self.service;
        if let Some(claim) = self.tried("report", service.report(draft)).await {
            self.claims.push(claim);
        }
    }

    /// Something happens and is verified.
    async fn happen(&mut self, met: &Met, part_of: Option<String>) -> Option<String> {
        let service = self.service;
        let incident =
            pb::Incident { event: part_of.unwrap_or_default(), ..claims::incident_of(met.event()) };
        let request = pb::CreateIncidentRequest {
            parent: "towns/malu".to_owned(),
            incident: Some(incident),
            request_id: uuid(),
            ..Default::default()
        };
        let mut client = IncidentServiceClient::new(service.peer.clone());
        let created =
            self.tried("incident", client.create_incident(service.officer("reporter", request))).await?;
        let incident = created.into_inner();
        let verify = step!(VerifyIncidentRequest, incident);
        let verified =
            self.tried("verify", client.verify_incident(service.officer("verifier", verify))).await?;
        let name = verified.into_inner().name;
        self.happened.push((met.clone(), name.clone()));
        Some(name)
    }

    /// The step that its state waits for, by somebody who may, more often than not.
    async fn onward(&mut self, at: usize, who: usize, amount: i64) {
        use pb::ClaimState as In;
        let claim = self.claims[at].clone();
        let rejected = claim.outcome() == pb::ClaimOutcome::Rejected;
        let running = claim.notice_end_date.is_some() && self.today < claims::after(&claim);
        let verb = match claim.state() {
            In::Reported => Do::Accept,
            In::Accepted | In::Assessed | In::Appealed if amount % 9 == 0 => Do::Ask,
            In::Accepted => Do::Survey,
            In::Surveyed => Do::Assess,
            In::Assessed | In::Appealed if amount % 5 == 0 => Do::Assess,
            In::Assessed | In::Appealed => Do::Adjudicate,
            In::Adjudicated if rejected && amount % 2 == 0 => Do::Appeal,
            In::Adjudicated if rejected => Do::Close,
            In::Adjudicated => Do::Publish,
            In::Notice if claim.appeal_end_date.is_some() && amount % 5 == 0 => Do::Appeal,
            In::Notice if running && amount % 3 == 0 => Do::Object,
            In::Notice | In::Objected if amount % 29 == 0 => Do::Withdraw,
            In::Notice | In::Objected | In::Paid if amount % 4 == 0 => Do::Reopen,
            In::Paid if amount % 5 == 0 => Do::Reverse,
            In::Notice => {
                self.pass(claims::after(&claim));
                let programme = usize::from(claim.decisions.last().is_some_and(|its| {
                    its.lines.iter().any(|line| {
                        line.programme.ends_with("/li")
                            && in_fen(line.approved_amount.as_ref()) > 0
                            && in_fen(line.paid_amount.as_ref()) == 0
                    })
                }));
                return self.pay(at, programme, (0, 0), true, "payer").await;
            }
            In::Objected => Do::Answer,
            In::Paid
                if claim
                    .decisions
                    .iter()
                    .flat_map(|its| &its.lines)
                    .any(|line| line.pay_date.is_some() && line.confirm_date.is_none()) =>
            {
                Do::Confirm
            }
            In::Paid => Do::Close,
            In::DocumentsRequested if amount % 2 == 0 => Do::Update,
            In::DocumentsRequested => Do::Resume,
            _ => return,
        };
        // another one for each step
        let doer = match verb {
            Do::Adjudicate if amount % 4 > 0 => WHO[3 + who % 2],
            Do::Answer => "answerer",
            _ => WHO[who % 3],
        };
        self.step(at, verb, doer, amount, false).await;
    }

    async fn step(&mut self, at: usize, verb: Do, who: &'static str, amount: i64, stale: bool) {
        let mut claim = self.claims[at].clone();
        if stale {
            claim.etag = kernel::etag::Etag::of(1).to_string();
        }
        if let Some(claim) = self.tried(told(verb), self.once(&claim, verb, who, amount)).await {
            self.claims[at] = claim;
        }
    }

    fn once(
        &self,
        claim: &pb::Claim,
        verb: Do,
        who: &str,
        amount: i64,
    ) -> impl Future<Output = Result<pb::Claim, Status>> + use<> {
        let (mut client, claim) = (self.service.claims(), claim.clone());
        let token = self.service.token(who, "town-officer", "malu");
        async move {
            let by = |_: ()| token.clone();
            macro_rules! call {
                ($method:ident, $message:expr) => {
                    client.$method(crate::harness::with($message, &by(()))).await
                };
            }
            let why = || "写明理由".to_owned();
            let answer = match verb {
                Do::Accept => call!(accept_claim, step!(AcceptClaimRequest, claim)),
                Do::Dismiss => {
                    call!(
                        dismiss_claim,
                        pb::DismissClaimRequest { comment: why(), ..step!(DismissClaimRequest, claim) }
                    )
                }
                Do::Ask => call!(
                    request_claim_documents,
                    step!(RequestClaimDocumentsRequest, claim, kinds: vec!["INVOICES".to_owned()])
                ),
                Do::Resume => call!(resume_claim, step!(ResumeClaimRequest, claim)),
                Do::Update => {
                    let changed = pb::Claim {
                        claimed_amount: (amount > 0).then(|| fen(amount * 100)),
                        ..claim.clone()
                    };
                    let request = pb::UpdateClaimRequest {
                        claim: Some(changed),
                        update_mask: Some(prost_types::FieldMask {
                            paths: vec!["claimed_amount".to_owned()],
                        }),
                        request_id: uuid(),
                        ..Default::default()
                    };
                    call!(update_claim, request)
                }
                Do::Survey => {
                    call!(survey_claim, step!(SurveyClaimRequest, claim, survey: "现场查勘".to_owned()))
                }
                Do::Assess => {
                    let claimed = in_fen(claim.claimed_amount.as_ref());
                    // now and then a fen too much
                    let loss = if amount % 11 == 0 { claimed + 1 } else { (claimed - amount).max(0) };
                    let grade =
                        if claim.peril == "DISABILITY" { 1 + i32::try_from(amount % 10).unwrap() } else { 0 };
                    let loss = claim.claimed_amount.is_some().then(|| fen(loss));
                    call!(
                        assess_claim,
                        step!(AssessClaimRequest, claim, assessed_amount: loss, disability_grade: grade)
                    )
                }
                Do::Adjudicate => {
                    call!(
                        adjudicate_claim,
                        step!(AdjudicateClaimRequest, claim, without_documents: amount % 3 == 0)
                    )
                }
                Do::Publish => call!(publish_claim_notice, step!(PublishClaimNoticeRequest, claim)),
                Do::Object => {
                    call!(object_to_claim, step!(ObjectToClaimRequest, claim, text: "与事实不符".to_owned()))
                }
                Do::Answer => {
                    let open = claim.objections.iter().find(|one| one.answer_date.is_none());
                    let open = open.map(|one| one.id.clone()).unwrap_or_else(uuid);
                    call!(
                        answer_claim_objection,
                        step!(AnswerClaimObjectionRequest, claim, objection: open, answer: "已复核".to_owned())
                    )
                }
                Do::Appeal => {
                    call!(appeal_claim, step!(AppealClaimRequest, claim, appeal: "请复议".to_owned()))
                }
                Do::Confirm => call!(
                    confirm_claim_payment,
                    step!(ConfirmClaimPaymentRequest, claim, programme: String::new())
                ),
                Do::Close => call!(close_claim, step!(CloseClaimRequest, claim)),
                Do::Withdraw => call!(withdraw_claim, step!(WithdrawClaimRequest, claim)),
                Do::Reverse => {
                    let standing =
                        claim.payments.iter().find(|one| one.reverses == 0 && one.reversed_by == 0);
                    let payment = standing.map_or(1, |one| one.number);
                    let request = step!(ReverseClaimPaymentRequest, claim, payment: payment);
                    call!(reverse_claim_payment, pb::ReverseClaimPaymentRequest { comment: why(), ..request })
                }
                Do::Reopen => {
                    call!(
                        reopen_claim,
                        pb::ReopenClaimRequest { comment: why(), ..step!(ReopenClaimRequest, claim) }
                    )
                }
            };
            answer.map(Response::into_inner)
        }
    }

    async fn pay(
        &mut self,
        at: usize,
        programme: usize,
        (off, ago): (i64, i8),
        right: bool,
        who: &'static str,
    ) {
        let (service, claim) = (self.service, self.claims[at].clone());
        let lines = claim.decisions.last().map(|its| its.lines.clone()).unwrap_or_default();
        let name = format!("towns/malu/programmes/{}", PROGRAMMES[programme]);
        let line = lines.iter().find(|line| line.programme == name);
        let amount = line.map_or(100, |line| in_fen(line.approved_amount.as_ref())).max(1) + off;
        let day = self.today.checked_sub(i64::from(ago).days()).unwrap();
        let request = step!(PayClaimRequest, claim, programme: name, amount: Some(fen(amount.max(1))), pay_date: Some(wire(day)),
            payment_reference: uuid());
        let insurer = INSURERS[if right { programme } else { 1 - programme }];
        let call =
            async move { service.claims().pay_claim(service.by(As::Adjuster(who, insurer), request)).await };
        if let Some(claim) = self.tried("pay", call).await {
            self.claims[at] = service.read(&claim.into_inner()).await;
        }
    }

    /// The register says something else of somebody, now and for the past.
    async fn moved(&mut self, person: usize, household: usize, until: Option<usize>) {
        let (person, household) = (PEOPLE[person].0, ["h-1", "h-2", "h-3"][household]);
        let until = until.map(|n| self.day(n).to_string()).unwrap_or_default();
        let sql = format!(
            "update residence set recorded = tstzrange(lower(recorded), clock_timestamp()) where town = 'malu' and person = '{person}' and upper_inf(recorded);
             insert into residence (town, id, person, household, ground, valid, recorded)
                 values ('malu', gen_random_uuid(), '{person}', '{household}', 'REGISTERED', '[2012-01-01,{until})', tstzrange(clock_timestamp(), null))"
        );
        self.service.governance_sql(&sql).await;
        self.done.push("move");
    }

    async fn policy(&self, policy: usize) -> (PolicyServiceClient<chassis::peer::Peer>, pb::Policy) {
        let mut client = PolicyServiceClient::new(self.service.peer.clone());
        let request = pb::GetPolicyRequest { name: format!("towns/malu/policies/{}", POLICIES[policy]) };
        let policy = client.get_policy(self.service.officer("reader", request)).await.unwrap().into_inner();
        (client, policy)
    }

    /// Drafts what another one signs; what waits is signed before anything else.
    async fn endorse(&mut self, policy: usize, limit: usize, yuan: Option<i64>, from: usize, signer: usize) {
        let service = self.service;
        let (mut client, mut policy) = self.policy(policy).await;
        if policy.versions.iter().all(|version| version.sign_date.is_some()) {
            let mut terms = policy.terms.clone().unwrap();
            if let Some(premium) = &mut terms.premium {
                premium.instalments.clear();
            }
            *limit_of(&mut terms, limit) = yuan.map(|yuan| fen(yuan * 100));
            let request = pb::EndorsePolicyRequest {
                name: policy.name.clone(),
                etag: policy.etag.clone(),
                request_id: uuid(),
                from_date: Some(wire(self.day(from))),
                terms: Some(terms),
                reason: "调整限额".to_owned(),
                ..Default::default()
            };
            let call = async { client.endorse_policy(service.officer("drafter", request)).await };
            let Some(drafted) = self.tried("endorse", call).await else { return };
            policy = drafted.into_inner();
        }
        let who = ["drafter", "signer", "other"][signer];
        let request = step!(SignPolicyRequest, policy);
        let call = async { client.sign_policy(service.officer(who, request)).await };
        self.tried("sign", call).await;
    }

    async fn terminate(&mut self, policy: usize, ahead: i8) {
        let service = self.service;
        let (mut client, policy) = self.policy(policy).await;
        let day = self.today.checked_add(i64::from(ahead).days()).unwrap();
        let request = pb::TerminatePolicyRequest {
            name: policy.name,
            etag: policy.etag,
            request_id: uuid(),
            termination_date: Some(wire(day)),
            reason: "更换承保公司".to_owned(),
            ..Default::default()
        };
        let call = async { client.terminate_policy(service.officer("drafter", request)).await };
        self.tried("terminate", call).await;
    }
}

/// One of the limits of a contract.
fn limit_of(terms: &mut pb::PolicyTerms, n: usize) -> &mut Option<contracts::google::r#type::Money> {
    match n % 7 {
        0 => &mut terms.limit_person_year,
        1 => &mut terms.limit_household_year,
        2 => &mut terms.limit_event,
        3 => &mut terms.limit_year,
        other => {
            let count = terms.benefits.len();
            let benefit = &mut terms.benefits[n / 7 % count];
            match (other, benefit.object()) {
                (4, _) => &mut benefit.limit_event,
                (_, pb::BenefitObject::Dwelling) => &mut benefit.limit_household_year,
                _ => &mut benefit.limit_person_year,
            }
        }
    }
}

fn told(verb: Do) -> &'static str {
    match verb {
        Do::Accept => "accept",
        Do::Dismiss => "dismiss",
        Do::Ask => "ask",
        Do::Resume => "resume",
        Do::Update => "update",
        Do::Survey => "survey",
        Do::Assess => "assess",
        Do::Adjudicate => "adjudicate",
        Do::Publish => "publish",
        Do::Object => "object",
        Do::Answer => "answer",
        Do::Appeal => "appeal",
        Do::Confirm => "confirm",
        Do::Close => "close",
        Do::Withdraw => "withdraw",
        Do::Reopen => "reopen",
        Do::Reverse => "reverse",
    }
}
