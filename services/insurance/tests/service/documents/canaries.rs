//! A file name and a content as canaries: whatever is called, rightly or wrongly, they turn up in no log, error, event or row in clear.

use chassis::testing::ear::Ear;
use contracts::linli::insurance::v1 as pb;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tonic::Status;

use super::{CLAIM, OTHER_CLAIM, PNG, create, declared, filing};
use crate::harness::{Service, uuid};

const FILE: &str = "慕容金丝雀的身份证.png";
const WORDS: &str = "慕容金丝雀，住马陆镇金丝雀路";

/// What is logged whenever something is listened to.
const SIGNS: [&str; 3] = ["sqlx::query", "linli.insurance.v1.DocumentService/ReadDocument", "event recorded"];

fn silent(text: &str, place: &str) {
    assert!(!text.contains("金丝雀"), "a canary in {place}: {text}");
}

/// Every table of the service as text; bytes as the text that they might be.
pub(crate) async fn stored(service: &Service) -> Vec<(String, String)> {
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    let tables = "select table_name::text from information_schema.tables where table_schema = 'insurance'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut owner).await.unwrap();
    let mut all = Vec::new();
    for table in tables {
        let rows = format!("select to_jsonb(t)::text from insurance.{table} t");
        for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut owner).await.unwrap() {
            let text: String = row.get(0);
            for bytes in text.split("\\\\x").skip(1) {
                let hex: String = bytes.chars().take_while(char::is_ascii_hexdigit).collect();
                let bytes = hex::decode(&hex).unwrap_or_default();
                all.push((table.clone(), String::from_utf8_lossy(&bytes).into_owned()));
            }
            all.push((table.clone(), text));
        }
    }
    all
}

/// What is refused with a canary in its hands.
async fn wrongs(service: &Service, content: &[u8], name: &str) -> Vec<Status> {
    let clerk = service.clerk("c1");
    let good = pb::Document { file_name: FILE.to_owned(), ..declared(CLAIM, content) };
    let mut refused = Vec::new();
    for wrong in [
        pb::Document { file_name: format!("../{FILE}"), ..good.clone() },
        pb::Document { file_name: format!("{FILE}\u{200B}"), ..good.clone() },
        pb::Document { file_name: FILE.repeat(30), ..good.clone() },
        pb::Document { kind: FILE.to_owned(), ..good.clone() },
        pb::Document { sha256: FILE.to_owned(), ..good.clone() },
        pb::Document { owner: FILE.to_owned(), ..good.clone() },
        pb::Document { owner: OTHER_CLAIM.to_owned(), ..good.clone() },
        pb::Document { size_bytes: 99_999_999, ..good.clone() },
    ] {
        refused.push(clerk.create(wrong).await.unwrap_err());
    }
    refused.push(clerk.write(name, 5, content).await.unwrap_err());
    refused.push(clerk.write(FILE, 0, content).await.unwrap_err());
    refused.push(clerk.read(FILE).await.unwrap_err());
    refused.push(clerk.list(&format!("file_name = \"{FILE}\"")).await.unwrap_err());
    refused.push(service.clerk("c2").read(name).await.unwrap_err());
    refused
}

#[tokio::test]
async fn no_file_name_and_no_content_turn_up_where_they_do_not_belong() {
    let service = filing().await;
    let ear = Ear::listen(&["金丝雀", SIGNS[0], SIGNS[1], SIGNS[2]]);
    let (clerk, content) = (service.clerk("c1"), [PNG, WORDS.repeat(3_000).as_bytes()].concat());
    let document = pb::Document { file_name: FILE.to_owned(), ..declared(CLAIM, &content) };
    let sent = clerk.send(document.clone(), &content).await.unwrap();
    let mut refused = wrongs(&service, &content, &sent.name).await;
    let stored_one = clerk.finish(&sent.name).await.unwrap();
    let read = pb::ReadDocumentRequest {
        name: sent.name.clone(),
        purpose: format!("核对\n{FILE}，即 {}", FILE.trim_end_matches(".png")),
        offset: 0,
    };
    let clear = service.documents().read_document(clerk.ask(read)).await.unwrap().into_inner();
    assert_eq!((clear.file_name.as_str(), &clear.content[..]), (FILE, &content[..]));
    let request = pb::CreateDocumentRequest { request_id: uuid(), ..create(document) };
    let given_up = service.documents().create_document(clerk.ask(request)).await.unwrap().into_inner();
    clerk.delete(&given_up.name).await.unwrap();
    // a part that can't be opened
    for file in service.objects() {
        silent(&file.to_string_lossy(), "the name of an object");
        std::fs::write(file, WORDS).unwrap();
    }
    refused.push(clerk.read(&sent.name).await.unwrap_err());
    silent(&format!("{stored_one:?}"), "a masked document");
    silent(&format!("{:?} {:?}", clerk.get(&sent.name).await, clerk.list("").await), "what is read of it");
    while chassis::seal::pass(&service.db.context.db, &[]).await.unwrap() > 0 {}
    for status in &refused {
        silent(status.message(), "a refusal");
        silent(&String::from_utf8_lossy(status.details()), "the details of a refusal");
        silent(&format!("{:?}", status.metadata()), "the metadata of a refusal");
    }
    assert_eq!(refused.len(), 14);
    let rows = stored(&service).await;
    for table in ["event", "history", "audit", "document", "document_part", "idempotency"] {
        assert!(rows.iter().any(|(name, _)| name == table), "{table} is empty");
    }
    for (table, text) in rows {
        silent(&text, &table);
    }
    for sign in SIGNS {
        assert!(!ear.heard(sign).is_empty(), "{sign} is not logged: nothing was listened to");
    }
    assert_eq!(ear.heard("金丝雀"), Vec::<String>::new());
}
