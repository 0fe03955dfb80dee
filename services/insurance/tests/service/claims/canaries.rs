//! What is kept of people as canaries: account and name of who is paid, the words of surveys, objections, appeals, incidents and visits,
//! identity numbers. Whatever is called, rightly or wrongly, they turn up in no log, refusal, page token, event, audit record or row in clear.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chassis::testing::{
    ear::Ear,
    walk::{send, with_each},
};
use contracts::linli::{common::v1::Payee, insurance::v1 as pb};
use jiff::civil::date;
use prost_reflect::{MethodDescriptor, Value};
use tonic::{Response, Status};

use super::{As, fire, step};
use crate::{
    access::WALK,
    documents::canaries::stored,
    harness::{Service, service},
    incidents,
};

/// What must not be seen, each with what it is a part of.
const NAME: &str = "夜莺";
const ACCOUNT: &str = "6222000011112222333";
const CITIZEN: &str = "310199195112050137";
const PHONE: &str = "13800138123";
const CANARIES: [&str; 4] = [NAME, ACCOUNT, CITIZEN, PHONE];

/// What is logged whenever something is listened to.
const SIGNS: [&str; 3] = ["sqlx::query", "linli.insurance.v1.ClaimService/RevealClaim", "event recorded"];

fn silent(text: &str, place: &str) {
    for canary in CANARIES {
        let at = text.find(canary).map(|at| text[..at].chars().rev().take(200).collect::<Vec<_>>());
        let around: Option<String> = at.map(|before| before.into_iter().rev().collect());
        assert!(around.is_none(), "{canary} in {place}, after: {}", around.unwrap_or_default());
    }
}

fn silent_in(status: &Status, place: &str) {
    silent(status.message(), place);
    silent(&String::from_utf8_lossy(status.details()), place);
    silent(&format!("{:?}", status.metadata()), place);
}

/// Words with all of them.
fn said(what: &str) -> String {
    format!("{what}：{NAME}，身份证 {CITIZEN}，电话 {PHONE}，账号 {ACCOUNT}")
}

fn account() -> Payee {
    Payee {
        display_name: NAME.to_owned(),
        bank: format!("{NAME}银行"),
        account_number: ACCOUNT.to_owned(),
        ..super::payee()
    }
}

/// What a resource is called, for a method about it.
struct Named {
    claim: String,
    incident: String,
    document: String,
}

impl Named {
    fn of(&self, method: &MethodDescriptor) -> &str {
        match method.parent_service().name() {
            "ClaimService" => &self.claim,
            "IncidentService" => &self.incident,
            "DocumentService" => &self.document,
            "PolicyService" => "cci-2020",
            _ => "cci",
        }
    }
}

/// A claim with words in every field that takes some, read in clear by whoever may, and what was refused on the way.
async fn life(service: &Service) -> (Named, Vec<Status>) {
    let mut refused = Vec::new();
    let incident = pb::Incident { description: said("起火"), ..incidents::fire() };
    let incident = incidents::report(service, incident).await;
    let incident = incidents::verify(service, &incident).await;
    let visit = pb::RecordVisitRequest {
        visitor: "towns/malu/people/steward".to_owned(),
        ..incidents::visit(&incident, pb::VisitResult::Other, &said("走访"))
    };
    let mut client = incidents::client(service);
    client.record_visit(service.of_committee("visitor", "c1", visit)).await.unwrap();
    let reveal = pb::RevealIncidentRequest { name: incident.name.clone(), purpose: "核对".to_owned() };
    client.reveal_incident(service.officer("reader", reveal)).await.unwrap();

    let draft = service.claim_draft(&incident.name, fire(date(2020, 2, 14)), Some(80_000_00));
    let draft = pb::Claim { payee: Some(account()), ..draft };
    for citizen in [CITIZEN, "310199195112050138"] {
        let typed =
            pb::Claim { insured: String::new(), insured_citizen_id: citizen.to_owned(), ..draft.clone() };
        refused.push(service.report(typed).await.unwrap_err());
    }
    let wrong = Payee { account_number: format!("{ACCOUNT}x"), ..account() };
    refused.push(service.report(pb::Claim { payee: Some(wrong), ..draft.clone() }).await.unwrap_err());
    let claim = service.report(draft).await.unwrap();
    let mut client = service.claims();
    let accept = step!(AcceptClaimRequest, claim);
    let claim = client.accept_claim(service.officer("acceptor", accept)).await.unwrap().into_inner();
    let survey = step!(SurveyClaimRequest, claim, survey: said("查勘"));
    let claim = client.survey_claim(service.officer("surveyor", survey)).await.unwrap().into_inner();
    let loss = Some(crate::harness::fen(80_000_00));
    let assess = step!(AssessClaimRequest, claim, assessed_amount: loss, disability_grade: 0);
    let claim = client.assess_claim(service.officer("assessor", assess)).await.unwrap().into_inner();
    let claim = service.adjudicate(&claim).await.unwrap();
    let publish = step!(PublishClaimNoticeRequest, claim);
    let claim =
        client.publish_claim_notice(service.officer("publisher", publish)).await.unwrap().into_inner();
    let object = step!(ObjectToClaimRequest, claim, text: said("异议"));
    let claim = client.object_to_claim(service.by(As::Committee("neighbour", "c1"), object)).await;
    let claim = claim.map(Response::into_inner).unwrap();
    let mistaken = step!(AnswerClaimObjectionRequest, claim, objection: said("谁"), answer: said("答复"));
    refused.push(client.answer_claim_objection(service.officer("answerer", mistaken)).await.unwrap_err());
    let objection = claim.objections[0].id.clone();
    let answer = step!(AnswerClaimObjectionRequest, claim, objection: objection, answer: said("答复"));
    client.answer_claim_objection(service.officer("answerer", answer)).await.unwrap();
    let purpose = format!("核对 {NAME} 的账号 {ACCOUNT}");
    let reveal = pb::RevealClaimRequest { name: claim.name.clone(), purpose };
    let clear = client.reveal_claim(service.officer("reader", reveal)).await.unwrap().into_inner();
    assert!(clear.survey.contains(NAME) && clear.objections[0].answer.contains(ACCOUNT), "{clear:?}");
    assert_eq!(clear.payee.unwrap().account_number, ACCOUNT);

    // another claim is appealed
    let early = service.assessed(fire(date(2019, 12, 31)), Some(1_000_00), 0).await;
    let early = service.adjudicate(&early).await.unwrap();
    let appeal = step!(AppealClaimRequest, early, appeal: said("复议"));
    client.appeal_claim(service.officer("clerk", appeal)).await.unwrap();
    let content = crate::documents::picture(1_000);
    let document = service.clerk("c1").store(&claim.name, &content).await;
    let id = |name: &str| name.rsplit('/').next().unwrap().to_owned();
    (Named { claim: id(&claim.name), incident: id(&incident.name), document: id(&document.name) }, refused)
}

/// Every field of text of every method, with a canary in the wrong place. Nothing of it is stored.
async fn wrong_places(service: &Service, named: &Named) -> Vec<(String, Status)> {
    let administrator = service.token("administrator", "administrator", "malu");
    let mut refused = Vec::new();
    for (method, _) in WALK.methods() {
        let mut message = WALK.filled(&method, named.of(&method));
        match method.input().get_field_by_name("validate_only") {
            Some(only) => message.set_field(&only, Value::Bool(true)),
            None if method.input().get_field_by_name("request_id").is_some() => continue,
            None => {}
        }
        for typed in
            CANARIES.into_iter().chain(["towns/malu/people/310199195112050137", "peril = \"夜莺\" AND"])
        {
            // a purpose is kept as it is said, without what it is read for
            for (field, message) in
                with_each(&message, typed).into_iter().filter(|(field, _)| field != "purpose")
            {
                if let Err(status) = send(&service.peer, &method, &message, Some(&administrator)).await {
                    refused.push((format!("{} {field} = {typed}", method.full_name()), status));
                }
            }
        }
    }
    refused
}

/// The tokens of pages of claims and incidents, by everything that they can be filtered and ordered by.
async fn tokens(service: &Service) -> Vec<String> {
    let mut found = Vec::new();
    for order in ["", "due_date desc"] {
        let list = pb::ListClaimsRequest {
            parent: "towns/malu".to_owned(),
            page_size: 1,
            order_by: order.to_owned(),
            ..Default::default()
        };
        let page = service.claims().list_claims(service.officer("reader", list)).await;
        found.extend(page.map(|page| page.into_inner().next_page_token));
    }
    let list =
        pb::ListIncidentsRequest { parent: "towns/malu".to_owned(), page_size: 1, ..Default::default() };
    let page = incidents::client(service).list_incidents(service.officer("reader", list)).await.unwrap();
    found.push(page.into_inner().next_page_token);
    found
}

#[tokio::test]
async fn nothing_of_people_turns_up_where_it_does_not_belong() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let listened: Vec<&str> = CANARIES.into_iter().chain(SIGNS).collect();
    let ear = Ear::listen(&listened);
    let (named, refused) = life(&service).await;
    let wrong = wrong_places(&service, &named).await;
    assert!(refused.len() == 4 && wrong.len() > 400, "{} refusals", wrong.len());
    for status in &refused {
        silent_in(status, "a refusal");
    }
    for (place, status) in &wrong {
        silent_in(status, place);
    }
    let tokens = tokens(&service).await;
    assert!(tokens.len() > 1 && tokens.iter().all(|token| !token.is_empty()), "{tokens:?}");
    for token in tokens {
        silent(&token, "a page token");
        silent(&String::from_utf8_lossy(&BASE64.decode(&token).unwrap()), "an opened page token");
    }
    // the claim as it is shown to whoever sees it
    let get = pb::GetClaimRequest { name: format!("towns/malu/claims/{}", named.claim) };
    let shown = service.claims().get_claim(service.officer("reader", get)).await.unwrap().into_inner();
    silent(&format!("{shown:?}"), "a claim that is shown");
    while chassis::seal::pass(&service.db.context.db, &[]).await.unwrap() > 0 {}
    let rows = stored(&service).await;
    for table in ["event", "history", "audit", "claim", "claim_objection", "incident_visit", "idempotency"] {
        assert!(rows.iter().any(|(name, _)| name == table), "{table} is empty");
    }
    for (table, text) in rows {
        silent(&text, &table);
    }
    for sign in SIGNS {
        assert!(!ear.heard(sign).is_empty(), "{sign} is not logged: nothing was listened to");
    }
    for canary in CANARIES {
        assert_eq!(ear.heard(canary), Vec::<String>::new());
    }
}
