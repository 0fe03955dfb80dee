//! A new key seals anew what an older one sealed; then the older one isn't needed any more.

use chassis::{
    db::{Db, PoolSettings, Schema},
    vault::{Vault, fresh_key},
};
use contracts::{
    google::longrunning::operation,
    linli::{
        insurance::v1 as pb,
        platform::v1::{GetOperationRequest, operation_service_client::OperationServiceClient},
    },
};
use jiff::civil::date;
use prost::Message;
use tonic::Code;

use crate::{
    claims::{As, fire, step},
    documents::{PART, picture},
    harness::{Service, service, uuid, with},
    incidents,
};

impl Service {
    /// Goes on with these keys, through another replica.
    fn keys(&mut self, keys: &str) {
        let vault = Vault::new(keys, "0123456789abcdef0123456789abcdef").unwrap();
        let schema = Schema::new("insurance", &insurance::MIGRATIONS);
        let settings = PoolSettings { connections: 8, ..PoolSettings::default() };
        self.db.context.db = Db::open(&self.db.database.owner_url, &schema, &settings, vault).unwrap();
        self.fail_over();
    }

    async fn reencrypt(&self) -> pb::ReencryptClaimsReport {
        let request = pb::ReencryptClaimsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
        let begun =
            self.claims().reencrypt_claims(self.officer("chief", request)).await.unwrap().into_inner();
        assert!(self.worker.pass().await.unwrap());
        let asked = GetOperationRequest { name: begun.name };
        let mut client = OperationServiceClient::new(self.peer.clone());
        let done = client.get_operation(self.officer("chief", asked)).await.unwrap().into_inner();
        let Some(operation::Result::Response(any)) = done.result else { panic!("{done:?}") };
        pb::ReencryptClaimsReport::decode(any.value.as_slice()).unwrap()
    }
}

/// How many sealed values, of all tables, a key sealed.
fn sealed_with(key: u32) -> String {
    let columns = [
        ("claim", "payee_sealed"),
        ("claim", "survey_sealed"),
        ("claim", "appeal_sealed"),
        ("claim_objection", "text_sealed"),
        ("claim_objection", "answer_sealed"),
        ("incident", "description"),
        ("incident_visit", "text_sealed"),
        ("document", "file_name_sealed"),
    ];
    let each = columns.map(|(table, column)| {
        format!("(select count(*) from {table} where substring({column} from 2 for 4) = int4send({key}))")
    });
    let parts = format!("(select count(*) from document_part where data_key = {key})");
    format!("select {} + {parts}", each.join(" + "))
}

/// A claim with a survey, an objection that was answered and one that wasn't, and an appeal; a file of two parts; a visit. Names of claim and
/// document.
async fn filled(service: &mut Service, later: &str) -> (String, String, Vec<u8>) {
    let incident = incidents::report(service, incidents::fire()).await;
    let incident = incidents::verify(service, &incident).await;
    let visit = incidents::visit(&incident, pb::VisitResult::Other, "家里有人受惊");
    let visit = pb::RecordVisitRequest { visitor: "towns/malu/people/steward".to_owned(), ..visit };
    let visited = incidents::client(service).record_visit(service.of_committee("visitor", "c1", visit)).await;
    visited.unwrap();
    let draft = service.claim_draft(&incident.name, fire(date(2020, 2, 14)), Some(80_000_00));
    let claim = service.report(draft).await.unwrap();
    let content = picture(PART + 5_000);
    let stored = service.clerk("c1").store(&claim.name, &content).await;
    let claim = service.assess(service.read(&claim).await, Some(80_000_00), 0).await;
    // the next key seals what follows, in the same rows
    service.keys(later);
    let claim = service.adjudicate(&claim).await.unwrap();
    let publish = step!(PublishClaimNoticeRequest, claim);
    let mut client = service.claims();
    let claim =
        client.publish_claim_notice(service.officer("publisher", publish)).await.unwrap().into_inner();
    let object = step!(ObjectToClaimRequest, claim, text: "问一".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), object);
    let claim = client.object_to_claim(by).await.unwrap().into_inner();
    let first = claim.objections[0].id.clone();
    let answer = step!(AnswerClaimObjectionRequest, claim, objection: first, answer: "答一".to_owned());
    let claim =
        client.answer_claim_objection(service.officer("answerer", answer)).await.unwrap().into_inner();
    (claim.name, stored.name, content)
}

#[tokio::test]
async fn what_older_keys_sealed_is_sealed_with_the_key_of_now_and_they_are_not_needed_any_more() {
    let (one, two, three) = (fresh_key(1).unwrap(), fresh_key(2).unwrap(), fresh_key(3).unwrap());
    let mut service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    service.keys(&one);
    let (claim, document, content) = filled(&mut service, &format!("{two},{one}")).await;
    let objects = service.objects();
    assert_eq!(objects.len(), 2);
    assert!(service.number(&sealed_with(1)).await > 5 && service.number(&sealed_with(2)).await == 2);
    let request = pb::GetClaimRequest { name: claim.clone() };
    let etag =
        service.claims().get_claim(service.officer("reader", request)).await.unwrap().into_inner().etag;

    service.keys(&format!("{three},{two},{one}"));
    let small = pb::ReencryptClaimsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    let token = service.token("clerk", "committee-officer", "committee:c1");
    let refused = service.claims().reencrypt_claims(with(small, &token)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let wanted = pb::ReencryptClaimsReport {
        claims: 1,
        objections: 1,
        incidents: 1,
        visits: 1,
        documents: 1,
        parts: 2,
        unreadable_parts: 0,
        key: 3,
    };
    assert_eq!(service.reencrypt().await, wanted);
    assert_eq!(service.number(&sealed_with(1)).await + service.number(&sealed_with(2)).await, 0);
    let keys = "select (select count(*) from claim where data_key <> 3) + (select count(*) from claim_objection where data_key <> 3)
        + (select count(*) from incident where data_key <> 3) + (select count(*) from incident_visit where data_key <> 3)
        + (select count(*) from document where data_key <> 3) + (select count(*) from document_part where data_key <> 3)";
    assert_eq!(service.number(keys).await, 0);
    // nothing of the old parts lies there any more
    let now = service.objects();
    assert!(now.len() == 2 && now.iter().all(|path| !objects.contains(path)), "{now:?}");
    // a second time there is nothing to do
    assert_eq!(service.reencrypt().await, pb::ReencryptClaimsReport { key: 3, ..Default::default() });

    service.keys(&three);
    assert_eq!(service.clerk("c1").read(&document).await.unwrap(), content);
    let reveal = pb::RevealClaimRequest { name: claim, purpose: "核对".to_owned() };
    let clear = service.claims().reveal_claim(service.officer("reader", reveal)).await.unwrap().into_inner();
    assert_eq!((clear.payee.unwrap().display_name.as_str(), clear.survey.as_str()), ("钱甲子", "现场查勘"));
    assert_eq!((clear.objections[0].text.as_str(), clear.objections[0].answer.as_str()), ("问一", "答一"));
    assert_eq!(clear.etag, etag);
}

#[tokio::test]
async fn with_the_key_nothing_else_changes_and_without_it_nothing() {
    let mut service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let key = fresh_key(1).unwrap();
    service.keys(&key);
    filled(&mut service, &key).await;
    for (sql, wanted) in [
        ("update claim_objection set text_sealed = '\\x00'", "claim_objection_stays"),
        (
            "update claim_objection set text_sealed = '\\x00', data_key = 3, objected_by = 'x'",
            "claim_objection_stays",
        ),
        ("update claim_objection set answer_sealed = null, data_key = 3", "claim_objection_stays"),
        ("update incident_visit set text_sealed = '\\x00'", "incident_visit_never_changes"),
        ("update incident set description = '\\x00'", "incident_identity_stays"),
        ("update document_part set object = gen_random_uuid()", "document_part_never_changes"),
        ("update document_part set data_key = 3", "document_part_never_changes"),
        (
            "update document_part set object = gen_random_uuid(), data_key = 3, bytes = 1",
            "document_part_never_changes",
        ),
    ] {
        assert_eq!(service.constraint(sql).await, wanted, "{sql}");
    }
}

#[tokio::test]
async fn a_part_that_cannot_be_opened_stays_and_is_counted() {
    let mut service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let (one, two) = (fresh_key(1).unwrap(), fresh_key(2).unwrap());
    service.keys(&one);
    let (_, document, _) = filled(&mut service, &one).await;
    let spoilt = service.objects().remove(0);
    std::fs::write(&spoilt, "x").unwrap();
    service.keys(&format!("{two},{one}"));
    let report = service.reencrypt().await;
    assert_eq!((report.parts, report.unreadable_parts), (1, 1));
    assert!(service.objects().contains(&spoilt));
    assert!(service.clerk("c1").read(&document).await.is_err());
}
