//! Every verb, called as a trial first, then in earnest, then once more: the trial stores nothing, the second answer is the first one, and
//! there is one effect.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use bytes::{BufMut, Bytes, BytesMut};
use chassis::peer::Peer;
use contracts::linli::insurance::v1 as pb;
use http::{Request, Response};
use http_body_util::BodyExt;
use jiff::civil::date;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::{Status, body::Body};
use tower::{ServiceExt, service_fn};

use crate::{
    access::WALK,
    campaigns,
    claims::{As, fire, step},
    documents::{declared, picture},
    harness::{Service, fen, service, uuid},
    incidents, policies,
};

/// Bytes before a message: whether it is compressed, and its length.
const FRAME: usize = 5;

/// Every row of every table.
async fn dump(url: &str) -> String {
    let mut owner = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'insurance' and tablename not like '%\\_migrations' order by 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let sql = format!(
            "select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from insurance.{table} t"
        );
        let rows: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut owner).await.unwrap();
        all.push_str(&format!("== {table}\n{rows}\n"));
    }
    all
}

/// What stands in the way of every call.
#[derive(Clone)]
struct Thrice {
    peer: Peer,
    url: String,
    done: Arc<Mutex<BTreeSet<String>>>,
}

/// An answer whose body has come: its message, and whether the call went well.
struct Answer {
    parts: http::response::Parts,
    body: Bytes,
    trailers: Option<http::HeaderMap>,
}

impl Answer {
    fn into_response(self) -> Response<Body> {
        let trailers = self.trailers;
        let body = http_body_util::Full::new(self.body).with_trailers(async { trailers.map(Ok) });
        Response::from_parts(self.parts, Body::new(body))
    }

    fn is_ok(&self) -> bool {
        let said = |headers: &http::HeaderMap| headers.get("grpc-status").is_none_or(|code| code == "0");
        said(&self.parts.headers) && self.trailers.as_ref().is_none_or(said)
    }

    fn replayed(&self) -> bool {
        self.parts.headers.contains_key("linli-replayed")
    }
}

impl Thrice {
    async fn once(&self, like: &http::request::Parts, message: &DynamicMessage) -> Result<Answer, Status> {
        let bytes = message.encode_to_vec();
        let mut framed = BytesMut::with_capacity(FRAME + bytes.len());
        framed.put_u8(0);
        framed.put_u32(u32::try_from(bytes.len()).unwrap());
        framed.put_slice(&bytes);
        let body = Body::new(http_body_util::Full::new(framed.freeze()));
        let mut request = Request::new(body);
        *request.uri_mut() = like.uri.clone();
        *request.method_mut() = like.method.clone();
        *request.version_mut() = like.version;
        *request.headers_mut() = like.headers.clone();
        request.headers_mut().remove("content-length");
        let (parts, body) = self.peer.clone().oneshot(request).await?.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned();
        Ok(Answer { parts, body: body.to_bytes(), trailers })
    }

    async fn call(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let path = parts.uri.path().trim_start_matches('/').replace('/', ".");
        let method = WALK.methods().into_iter().map(|(method, _)| method).find(|one| one.full_name() == path);
        let method = method.unwrap_or_else(|| panic!("{path}"));
        let message = DynamicMessage::decode(method.input(), &body[FRAME..]).unwrap();
        let answer = match method.input().get_field_by_name("request_id") {
            Some(_) => self.thrice(&parts, &method, message).await?,
            None => self.once(&parts, &message).await?,
        };
        Ok(answer.into_response())
    }

    async fn thrice(
        &self,
        parts: &http::request::Parts,
        method: &MethodDescriptor,
        mut message: DynamicMessage,
    ) -> Result<Answer, Status> {
        let name = method.name();
        if message.get_field_by_name("request_id").unwrap().as_str() == Some("") {
            message.set_field_by_name("request_id", Value::String(uuid()));
        }
        if method.input().get_field_by_name("validate_only").is_some() {
            let mut trial = message.clone();
            trial.set_field_by_name("validate_only", Value::Bool(true));
            let before = dump(&self.url).await;
            let shown = self.once(parts, &trial).await?;
            assert!(shown.is_ok(), "a trial of {name}: {:?}", shown.trailers);
            assert_eq!(dump(&self.url).await, before, "a trial of {name}");
        }
        let first = self.once(parts, &message).await?;
        assert!(first.is_ok() && !first.replayed(), "{name}: {:?} {:?}", first.parts.headers, first.trailers);
        let before = dump(&self.url).await;
        let second = self.once(parts, &message).await?;
        assert!(second.is_ok() && second.replayed(), "{name} again");
        assert_eq!(second.body, first.body, "{name} again");
        assert_eq!(dump(&self.url).await, before, "{name} again");
        // another request under the same id
        if let Some(comment) = method.input().get_field_by_name("comment") {
            let mut other = message.clone();
            other.set_field(&comment, Value::String("又一次".to_owned()));
            let other = self.once(parts, &other).await?;
            assert!(!other.is_ok(), "another {name} under the same id");
            assert_eq!(dump(&self.url).await, before, "another {name} under the same id");
        }
        self.done.lock().unwrap().insert(name.to_owned());
        Ok(first)
    }
}

/// Puts it in the way of every call; what was done so, by method.
fn thrice(service: &mut Service) -> Arc<Mutex<BTreeSet<String>>> {
    let done = Arc::new(Mutex::new(BTreeSet::new()));
    let way =
        Thrice { peer: service.peer.clone(), url: service.db.database.owner_url.clone(), done: done.clone() };
    service.peer = Peer::new(service_fn(move |request| way.clone().call(request)));
    done
}

/// An incident that is reported, verified, visited, closed and opened again; and one that is claimed: their ways.
async fn incidents(service: &Service) {
    let one = pb::Incident { person: "towns/malu/people/r-2".to_owned(), ..incidents::fire() };
    let one = incidents::report(service, one).await;
    let one = incidents::verify(service, &one).await;
    let mut client = incidents::client(service);
    let visitor = incidents::assignment(&one, "towns/malu/people/steward");
    let one = client.assign_visit(service.of_committee("o", "c1", visitor)).await.unwrap().into_inner();
    let visit = incidents::visit(&one, pb::VisitResult::Declines, "自行处理");
    let one = client.record_visit(service.of_committee("o", "c1", visit)).await.unwrap().into_inner();
    let one = incidents::try_close(service, &one, "不申请").await.unwrap();
    incidents::try_reopen(service, &one, "误结").await.unwrap();
}

/// A claim through everything that can be asked of it.
async fn claim(service: &Service) {
    let mut client = service.claims();
    macro_rules! done {
        ($method:ident, $who:literal, $message:expr) => {
            client.$method(service.officer($who, $message)).await.unwrap().into_inner()
        };
    }
    let claim = service.claim(fire(date(2020, 2, 14)), Some(80_000_00)).await;
    let update = pb::UpdateClaimRequest {
        claim: Some(pb::Claim { claimed_amount: Some(fen(79_000_00)), ..claim }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["claimed_amount".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let claim = done!(update_claim, "clerk", update);
    let claim = done!(accept_claim, "acceptor", step!(AcceptClaimRequest, claim));
    let kinds = vec!["INVOICES".to_owned()];
    let claim =
        done!(request_claim_documents, "acceptor", step!(RequestClaimDocumentsRequest, claim, kinds: kinds));
    let claim = done!(resume_claim, "clerk", step!(ResumeClaimRequest, claim));
    let claim =
        done!(survey_claim, "surveyor", step!(SurveyClaimRequest, claim, survey: "现场查勘".to_owned()));
    let loss = Some(fen(79_000_00));
    let assess = step!(AssessClaimRequest, claim, assessed_amount: loss, disability_grade: 0);
    let claim = done!(assess_claim, "assessor", assess);
    let decide = step!(AdjudicateClaimRequest, claim, without_documents: false);
    let claim = done!(adjudicate_claim, "adjudicator", decide);
    let reopen =
        pb::ReopenClaimRequest { comment: "漏看了材料".to_owned(), ..step!(ReopenClaimRequest, claim) };
    let claim = done!(reopen_claim, "chief", reopen);
    let claim = service.adjudicate(&claim).await.unwrap();
    let claim = done!(publish_claim_notice, "publisher", step!(PublishClaimNoticeRequest, claim));
    let object = step!(ObjectToClaimRequest, claim, text: "损失与现场不符".to_owned());
    let claim = done!(object_to_claim, "neighbour", object);
    let (objection, answer) = (claim.objections[0].id.clone(), "已复核".to_owned());
    let answer = step!(AnswerClaimObjectionRequest, claim, objection: objection, answer: answer);
    let claim = done!(answer_claim_objection, "answerer", answer);
    service.clock.set(crate::claims::after(&claim)).unwrap();
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.read(&claim).await;
    let reverse = pb::ReverseClaimPaymentRequest {
        comment: "误付".to_owned(),
        ..step!(ReverseClaimPaymentRequest, claim, payment: 1)
    };
    let claim = done!(reverse_claim_payment, "reverser", reverse);
    let claim = service.pay_as(&claim, "cci", 30_000_00, "r-9").await.unwrap();
    let file = format!(
        "claim_number,programme,amount_yuan,paid_on,reference\r\n{},li,39200.00,{},r-2\r\n",
        claim.number,
        service.clock.today()
    );
    let file = pb::CreatePaymentFileRequest {
        parent: "towns/malu".to_owned(),
        insurer: "towns/malu/organisations/o-insurer-1".to_owned(),
        content: file.into_bytes().into(),
        request_id: uuid(),
        validate_only: false,
    };
    let by = service.by(As::Adjuster("payer", "o-insurer-1"), file);
    let mut files = pb::payment_file_service_client::PaymentFileServiceClient::new(service.peer.clone());
    let file = files.create_payment_file(by).await.unwrap().into_inner();
    assert_eq!(file.matched, 1, "{file:?}");
    let claim = service.read(&claim).await;
    let confirm = step!(ConfirmClaimPaymentRequest, claim, programme: String::new());
    let claim = done!(confirm_claim_payment, "confirmer", confirm);
    done!(close_claim, "closer", step!(CloseClaimRequest, claim));
    let again =
        pb::ReadjudicateClaimsRequest { parent: "towns/malu".to_owned(), year: 2020, request_id: uuid() };
    done!(readjudicate_claims, "chief", again);
    let sealed = pb::ReencryptClaimsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    done!(reencrypt_claims, "chief", sealed);
}

/// Claims that end otherwise: withdrawn, dismissed, appealed.
async fn other_claims(service: &Service) {
    let mut client = service.claims();
    let event =
        crate::claims::Event { person: "r-3", place: "h-2", household: "h-2", ..fire(date(2020, 2, 14)) };
    let claim = service.claim(event, Some(1_000_00)).await;
    let incident = claim.incident.clone();
    let withdraw = step!(WithdrawClaimRequest, claim);
    client.withdraw_claim(service.officer("clerk", withdraw)).await.unwrap();
    let claim = service.report(service.claim_draft(&incident, event, Some(1_000_00))).await.unwrap();
    let dismiss =
        pb::DismissClaimRequest { comment: "重复".to_owned(), ..step!(DismissClaimRequest, claim) };
    client.dismiss_claim(service.officer("acceptor", dismiss)).await.unwrap();
    let claim = service.report(service.claim_draft(&incident, event, Some(40_000_00))).await.unwrap();
    let claim = service.assess(claim, Some(40_000_00), 0).await;
    let early = crate::claims::Event {
        person: "r-1",
        place: "e-1",
        household: "h-1",
        peril: "PUBLIC_AREA_INJURY",
        on: date(2019, 12, 31),
    };
    let rejected = service.assessed(early, Some(1_000_00), 0).await;
    let rejected = service.adjudicate(&rejected).await.unwrap();
    let appeal = step!(AppealClaimRequest, rejected, appeal: "请复议".to_owned());
    client.appeal_claim(service.officer("clerk", appeal)).await.unwrap();
    let content = picture(1_000);
    let clerk = service.clerk("c1");
    let stored = clerk.store(&claim.name, &content).await;
    clerk.void(&stored, "传错了").await.unwrap();
    let given_up = clerk.send(declared(&claim.name, &content), &content).await.unwrap();
    clerk.delete(&given_up.name).await.unwrap();
    let sweep = pb::SweepDocumentsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    service.documents().sweep_documents(service.officer("chief", sweep)).await.unwrap();
}

#[tokio::test]
async fn every_verb_is_tried_done_and_repeated_with_one_effect() {
    let mut service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let done = thrice(&mut service);
    incidents(&service).await;
    other_claims(&service).await;
    claim(&service).await;
    policies::each_verb(&service).await;
    campaigns::each_verb(&service).await;
    let mut settings =
        pb::claim_settings_service_client::ClaimSettingsServiceClient::new(service.peer.clone());
    let get = pb::GetClaimSettingsRequest { name: "towns/malu/claimSettings".to_owned() };
    let its = settings.get_claim_settings(service.officer("chief", get)).await.unwrap().into_inner();
    let update = pb::UpdateClaimSettingsRequest {
        claim_settings: Some(pb::ClaimSettings { notice_days: 7, ..its }),
        request_id: uuid(),
        ..Default::default()
    };
    settings.update_claim_settings(service.officer("chief", update)).await.unwrap();

    let all = WALK.methods().into_iter().map(|(method, _)| method);
    let verbs = all.filter(|method| {
        method.full_name().starts_with("linli.insurance.")
            && method.input().get_field_by_name("request_id").is_some()
    });
    let done = done.lock().unwrap();
    let left: Vec<String> =
        verbs.map(|one| one.name().to_owned()).filter(|name| !done.contains(name)).collect();
    assert!(left.is_empty(), "{left:?}");
}
