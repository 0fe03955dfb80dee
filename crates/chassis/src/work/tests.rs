use std::sync::LazyLock;

use contracts::linli::governance::v1::{GetTownRequest, Town};
use serde_json::json;
use sqlx::{Connection, PgConnection, Row, migrate::Migrator};
use uuid::Uuid;

use super::*;
use crate::{
    clock::Clock,
    db::Schema,
    testing::{TestDb, call},
};

static NOTHING: LazyLock<Migrator> = LazyLock::new(|| Migrator::with_migrations(Vec::new()));

async fn db() -> TestDb {
    TestDb::new(&Schema::new("chassis_test", &NOTHING)).await
}

fn caller() -> Call {
    call("a", "administrator", "everywhere", "linli.test/Do", "governance.towns.update", &Clock::real())
}

fn record(version: i64) -> Record<Town> {
    Record {
        town: "malu".to_owned(),
        resource: "towns/malu".to_owned(),
        summary: "update".to_owned(),
        changes: vec![Change {
            resource: "towns/malu".to_owned(),
            version,
            verb: "update",
            from_state: "",
            to_state: "",
            comment: String::new(),
            event: "town.updated",
            data: json!({}),
        }],
        answer: Town { name: "towns/malu".to_owned(), etag: format!("v{version}"), ..Default::default() },
    }
}

fn asked(name: &str) -> GetTownRequest {
    GetTownRequest { name: name.to_owned() }
}

async fn count(db: &TestDb, table: &str) -> i64 {
    let mut owner = PgConnection::connect(&db.database.owner_url).await.unwrap();
    let sql = format!("select count(*) from chassis_test.{table}");
    sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut owner).await.unwrap().get(0)
}

async fn new_work(db: &TestDb, intent: Intent<'_>) -> Work {
    match Work::begin::<Town>(&db.context.db, &caller(), intent).await.unwrap() {
        Begun::New(work) => work,
        Begun::Replay(_) => panic!("a replay"),
    }
}

#[tokio::test]
async fn a_replay_gets_the_first_answer_and_another_body_is_refused() {
    let db = db().await;
    let id = Uuid::new_v4().to_string();
    let request = asked("towns/malu");
    new_work(&db, Intent::of(&request, &id, false)).await.commit(record(1)).await.unwrap();
    match Work::begin::<Town>(&db.context.db, &caller(), Intent::of(&request, &id, false)).await.unwrap() {
        Begun::Replay(town) => assert_eq!(town.etag, "v1"),
        Begun::New(_) => panic!("not a replay"),
    }
    let other = asked("towns/other");
    let refused =
        Work::begin::<Town>(&db.context.db, &caller(), Intent::of(&other, &id, false)).await.unwrap_err();
    assert_eq!(refused.reason().name, "REQUEST_ID_REUSED");
    assert_eq!(
        (count(&db, "history").await, count(&db, "audit").await, count(&db, "event").await),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_refusal_is_not_remembered_and_leaves_no_trace() {
    let db = db().await;
    let (id, request) = (Uuid::new_v4().to_string(), asked("towns/malu"));
    drop(new_work(&db, Intent::of(&request, &id, false)).await);
    new_work(&db, Intent::of(&request, &id, true)).await.commit(record(1)).await.unwrap();
    for table in ["idempotency", "history", "audit", "audit_pending", "event"] {
        assert_eq!(count(&db, table).await, 0, "{table}");
    }
    new_work(&db, Intent::of(&request, &id, false)).await.commit(record(1)).await.unwrap();
}

#[tokio::test]
async fn the_same_request_id_at_once_is_done_once() {
    let db = db().await;
    let id = Uuid::new_v4().to_string();
    let one = async || {
        let request = asked("towns/malu");
        match Work::begin::<Town>(&db.context.db, &caller(), Intent::of(&request, &id, false)).await.unwrap()
        {
            Begun::New(work) => work.commit(record(1)).await.unwrap().replayed,
            Begun::Replay(_) => true,
        }
    };
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    assert_eq!([a, b, c, d].into_iter().filter(|replayed| !replayed).count(), 1);
    assert_eq!(count(&db, "history").await, 1);
}

#[tokio::test]
async fn a_lost_connection_at_commit_is_resolved_by_the_record() {
    let db = db().await;
    let (id, request) = (Uuid::new_v4(), asked("towns/malu"));
    // as if the answer to COMMIT never came: the record is there, or it isn't
    let lost = || sqlx::Error::Io(std::io::Error::other("lost"));
    let not_there = resolve(&db.context.db, &caller(), id, Town::default(), lost()).await.unwrap_err();
    assert_eq!(not_there.reason().name, "CONFLICT");
    new_work(&db, Intent::of(&request, &id.to_string(), false)).await.commit(record(1)).await.unwrap();
    assert!(resolve(&db.context.db, &caller(), id, Town::default(), lost()).await.is_ok());
}

#[tokio::test]
async fn collisions_are_tried_three_times_and_no_more() {
    let tries = std::cell::Cell::new(0);
    let done: Result<(), Refusal> = bounded(|| {
        tries.set(tries.get() + 1);
        async { Err(Refusal::new(&CONFLICT)) }
    })
    .await;
    assert!(done.is_err() && tries.get() == 3);
}

#[tokio::test]
async fn the_service_sees_its_schema_alone_and_changes_no_history() {
    let db = db().await;
    new_work(&db, Intent::of(&asked("x"), "", false)).await.commit(record(1)).await.unwrap();
    for forbidden in [
        "update audit set summary = 'x'",
        "delete from audit",
        "truncate audit_seal",
        "update history set comment = 'x'",
        "create table chassis_test.mine (n int)",
        "create table public.mine (n int)",
        "select * from chassis_test._migrations",
    ] {
        let mut tx = db.context.db.begin().await.unwrap();
        let error = sqlx::query(sqlx::AssertSqlSafe(forbidden)).execute(&mut *tx).await.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().as_deref(),
            Some("42501"),
            "{forbidden}: {error}"
        );
    }
}
