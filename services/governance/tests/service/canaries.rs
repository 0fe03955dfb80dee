//! The residents of the demonstration as canaries: whatever is called, rightly or wrongly, their names and identity numbers
//! turn up in no log, span, error, page token or row in clear.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chassis::testing::walk::{send, with_each};
use contracts::linli::{
    governance::v1::{
        self as pb, person_service_client::PersonServiceClient,
        residence_service_client::ResidenceServiceClient,
    },
    platform::v1::ImportMode,
};
use jiff::civil::date;
use prost_reflect::Value;
use sqlx::{Connection, PgConnection, Row};
use tonic::Status;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

use crate::{
    access::WALK,
    harness::{Service, date as wire, with},
    imports::{import, ready},
};

/// Characters of an identity number.
const NUMBER: usize = 18;

/// Names and identity numbers of everybody in `residents.csv`.
struct Canaries {
    names: HashSet<String>,
    numbers: HashSet<String>,
}

impl Canaries {
    fn read(file: &[u8]) -> Canaries {
        let text = std::str::from_utf8(file).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.len(), 789);
        let of = |column: usize| rows.iter().map(|row| row[column].to_owned()).collect::<HashSet<_>>();
        let canaries = Canaries { names: of(1), numbers: of(4) };
        assert!(canaries.names.iter().all(|name| name.chars().count() == 3));
        canaries
    }

    /// The first canary in `text`.
    fn sings(&self, text: &str) -> Option<String> {
        let chars: Vec<(usize, char)> = text.char_indices().collect();
        let end = |n: usize| chars.get(n).map_or(text.len(), |(at, _)| *at);
        chars.iter().enumerate().find_map(|(n, (at, c))| {
            let found = match c {
                '0'..='9' => text.get(*at..at + NUMBER).filter(|text| self.numbers.contains(*text)),
                c if c.is_ascii() => None,
                _ => text.get(*at..end(n + 3)).filter(|text| self.names.contains(*text)),
            };
            found.map(str::to_owned)
        })
    }

    fn silent(&self, text: &str, place: &str) {
        if let Some(canary) = self.sings(text) {
            let at = text.find(&canary).unwrap();
            let around: String =
                text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{canary} in {place}, after: {around}");
        }
    }

    fn silent_in(&self, status: &Status, place: &str) {
        self.silent(status.message(), place);
        self.silent(&String::from_utf8_lossy(status.details()), place);
        self.silent(&format!("{:?}", status.metadata()), place);
    }
}

/// What is logged in this process: every event and every span, with its fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Listens, to the tests beside this one too: a subscriber of one thread misses what another thread reached first.
fn listen() -> Lines {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("debug,chassis=trace,governance=trace,kernel=trace,tabular=trace"))
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    lines
}

/// Every table of the service as text; bytes as the text that they might be.
async fn stored(service: &Service) -> Vec<(String, String)> {
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    let tables = sqlx::query(
        "select table_name::text from information_schema.tables where table_schema = 'governance'",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let mut all = Vec::new();
    for table in tables.iter().map(|row| row.get::<String, _>(0)) {
        let rows = format!("select to_jsonb(t)::text from governance.{table} t");
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_all(&mut owner).await.unwrap();
        for row in rows {
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

fn people(service: &Service) -> PersonServiceClient<chassis::peer::Peer> {
    PersonServiceClient::new(service.peer.clone())
}

/// Whoever may read in clear does, finds and pages; whoever knows a number or a name looks for it.
async fn reads(service: &Service, canaries: &Canaries) -> Vec<Status> {
    let mut refused = Vec::new();
    let purpose = "核对户籍".to_owned();
    for id in ["r-00001", "r-00002", "r-00789"] {
        let name = format!("towns/malu/people/{id}");
        let reveal = pb::RevealPersonRequest { name: name.clone(), purpose: purpose.clone() };
        let clear =
            people(service).reveal_person(service.officer(reveal.clone())).await.unwrap().into_inner();
        assert!(canaries.names.contains(&clear.full_name) && canaries.numbers.contains(&clear.citizen_id));
        let stranger = service.token("stranger", "committee-officer", "committee:310114106002");
        refused.push(people(service).reveal_person(with(reveal, &stranger)).await.unwrap_err());
        let export = pb::ExportPersonRequest { name: name.clone(), purpose: purpose.clone() };
        people(service).export_person(service.officer(export)).await.unwrap();
        let mut wrong = pb::UpdatePersonRequest {
            person: Some(pb::Person { name, etag: "v99".to_owned(), ..clear.clone() }),
            ..Default::default()
        };
        refused.push(people(service).update_person(service.officer(wrong.clone())).await.unwrap_err());
        wrong.person.as_mut().unwrap().etag = clear.citizen_id.clone();
        refused.push(people(service).update_person(service.officer(wrong)).await.unwrap_err());
        // recorded again: under another id, with a wrong number, under the number as its id
        for (id, citizen_id) in [
            ("another", clear.citizen_id.clone()),
            ("another", format!("{}0", clear.citizen_id)),
            (clear.citizen_id.as_str(), clear.citizen_id.clone()),
            (clear.full_name.as_str(), clear.citizen_id.clone()),
        ] {
            let create = pb::CreatePersonRequest {
                parent: "towns/malu".to_owned(),
                person_id: id.to_lowercase(),
                person: Some(pb::Person { citizen_id, ..clear.clone() }),
                ..Default::default()
            };
            refused.push(people(service).create_person(service.officer(create)).await.unwrap_err());
        }
    }
    refused
}

/// Pages of those who share a name, and of residences; every token.
async fn pages(service: &Service) -> Vec<String> {
    let twin = pb::CreatePersonRequest {
        parent: "towns/malu".to_owned(),
        person_id: "twin".to_owned(),
        person: Some(pb::Person {
            full_name: "钱甲子".to_owned(),
            citizen_id: "11010519491231002X".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    people(service).create_person(service.officer(twin)).await.unwrap();
    let mut tokens = Vec::new();
    let search = pb::SearchPeopleRequest {
        parent: "towns/malu".to_owned(),
        full_name: "钱甲子".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let found = people(service).search_people(service.officer(search)).await.unwrap().into_inner();
    assert!(found.people.len() == 1 && !found.next_page_token.is_empty());
    tokens.push(found.next_page_token);
    let mut page_token = String::new();
    loop {
        let asked = pb::ListResidencesRequest {
            parent: "towns/malu".to_owned(),
            page_size: 200,
            page_token,
            as_of_date: Some(wire(date(2020, 12, 1))),
            ..Default::default()
        };
        let mut client = ResidenceServiceClient::new(service.peer.clone());
        page_token =
            client.list_residences(service.officer(asked)).await.unwrap().into_inner().next_page_token;
        if page_token.is_empty() {
            return tokens;
        }
        tokens.push(page_token.clone());
    }
}

/// What somebody may type where it doesn't belong.
const WRONG: [&str; 5] = [
    "310199195112050137",
    "钱甲子",
    "towns/malu/people/310199195112050137",
    "name = 310199195112050137",
    "name = \"钱甲子\" AND",
];

/// Every field of text of every method, with a number or a name in the wrong place. Nothing of it is stored.
async fn wrong_places(service: &Service) -> Vec<(String, Status)> {
    let administrator = service.token("administrator", "administrator", "malu");
    let mut refused = Vec::new();
    for (method, _) in WALK.methods() {
        let mut message = WALK.filled(&method, "c1");
        match method.input().get_field_by_name("validate_only") {
            Some(only) => message.set_field(&only, Value::Bool(true)),
            None if method.input().get_field_by_name("request_id").is_some() => continue,
            None => {}
        }
        for typed in WRONG {
            for (field, message) in with_each(&message, typed) {
                if let Err(status) = send(&service.peer, &method, &message, Some(&administrator)).await {
                    refused.push((format!("{} {field} = {typed}", method.full_name()), status));
                }
            }
        }
    }
    refused
}

/// Files with faults around what is personal: cells, columns that slipped, a header that is missing.
async fn dry_runs(service: &Service) -> String {
    let head = "code,name,sex,birth_date,citizen_id,household,ground,from,to\r\n";
    let mut told = String::new();
    for row in [
        "r-00001,钱甲子,M,1951-12-05,310199195112050138,h-00001,REGISTERED,2013-08-12,",
        "r-00001,钱甲子,M,1951-12-06,310199195112050137,h-00001,REGISTERED,2013-08-12,",
        "x,钱甲子,M,1951-12-05,310199195112050137,h-00001,REGISTERED,2013-08-12,",
        "钱甲子,r-00001,310199195112050137,M,1951-12-05,310199195112050137,钱甲子,310199195112050137,钱甲子",
        "310199195112050137,310199195112050137,钱甲子,钱甲子,钱甲子,钱甲子,310199195112050137,钱甲子,310199195112050137",
        "r-00001,钱甲子 ,M,1951-12-05,310199195112050137 ,h-00001,REGISTERED,2013-08-12,",
        "r-00001,钱甲子,M,1951-12-05,310199195112050137,h-00001,REGISTERED",
    ] {
        for file in [format!("{head}{row}\r\n"), format!("{row}\r\n{row}\r\n")] {
            let found = import(service, &[("residents", file.as_bytes())], ImportMode::Atomic, true).await;
            assert!(!found.rows.is_empty() && !found.stored, "{row}");
            told.push_str(&format!("{found:?}"));
        }
    }
    let moved = "block,kind,organisation,resident,contributes,from,to\r\nb-001-1,GRID_OFFICER,,310199195112050137,SERVICE,2020-01-01,\r\n";
    let found = import(service, &[("block_forces", moved.as_bytes())], ImportMode::GoodRowsOnly, false).await;
    told + &format!("{found:?}")
}

#[tokio::test]
async fn no_resident_turns_up_where_only_ids_belong() {
    let tables = governance::demo::TABLES;
    let residents = tables.iter().find(|(table, _)| *table == "residents").unwrap().1;
    let canaries = Canaries::read(residents);
    assert!(canaries.sings("是钱甲子。").is_some() && canaries.sings("x310199195112050137").is_some());
    let service = ready().await;
    let lines = listen();
    let loaded = import(&service, tables, ImportMode::Atomic, false).await;
    assert!(loaded.stored, "{:?}", loaded.rows);
    let mut refused: Vec<(String, Status)> =
        reads(&service, &canaries).await.into_iter().map(|status| ("a read".to_owned(), status)).collect();
    let tokens = pages(&service).await;
    assert!(tokens.len() > 3);
    refused.extend(wrong_places(&service).await);
    assert!(refused.len() > 400, "{} refusals", refused.len());
    let told = dry_runs(&service).await;
    while chassis::seal::pass(&service.db.context.db, &[]).await.unwrap() > 0 {}
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for sign in ["sqlx::query", "linli.governance.v1.PersonService/RevealPerson", "event recorded", "refused"]
    {
        assert!(logged.contains(sign), "{sign} is not logged: nothing was listened to");
    }
    canaries.silent(&logged, "the log");
    for (place, status) in &refused {
        canaries.silent_in(status, place);
    }
    for token in tokens {
        canaries.silent(&token, "a page token");
        canaries.silent(&String::from_utf8_lossy(&BASE64.decode(&token).unwrap()), "an opened page token");
    }
    canaries.silent(&told, "reports of imports");
    let rows = stored(&service).await;
    for table in ["event", "history", "audit", "operation_row", "person", "idempotency", "block_force"] {
        assert!(rows.iter().any(|(name, _)| name == table), "{table} is empty");
    }
    for (table, text) in rows {
        canaries.silent(&text, &table);
    }
}
