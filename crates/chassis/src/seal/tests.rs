use std::sync::LazyLock;

use contracts::linli::governance::v1::Town;
use serde_json::json;
use sqlx::{Connection, PgConnection, migrate::Migrator};

use super::*;
use crate::{
    clock::Clock,
    db::Schema,
    testing::{TestDb, call},
    work::{Begun, Change, Intent, Record, Work},
};

static NOTHING: LazyLock<Migrator> = LazyLock::new(|| Migrator::with_migrations(Vec::new()));

async fn db() -> TestDb {
    TestDb::new(&Schema::new("chassis_test", &NOTHING)).await
}

async fn begin(db: &TestDb) -> Work {
    let call =
        call("a", "administrator", "everywhere", "linli.test/Do", "governance.towns.update", &Clock::real());
    let intent = Intent { request_id: "", validate_only: false, hash: [0; 32] };
    match Work::begin::<Town>(&db.context.db, &call, intent).await.unwrap() {
        Begun::New(work) => work,
        Begun::Replay(_) => panic!("a replay"),
    }
}

fn record(resource: &str, version: i64) -> Record<Town> {
    let change = Change {
        resource: resource.to_owned(),
        version,
        verb: "update",
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: "town.updated",
        data: json!({"version": version}),
    };
    Record {
        town: "malu".to_owned(),
        resource: resource.to_owned(),
        summary: format!("update {version}"),
        changes: vec![change],
        answer: Town::default(),
    }
}

async fn fill(db: &TestDb, records: i64) {
    for version in 1..=records {
        begin(db).await.commit(record("towns/malu", version)).await.unwrap();
    }
    pass(&db.context.db, &[]).await.unwrap();
}

async fn owner(db: &TestDb, sql: &'static str) {
    let mut owner = PgConnection::connect(&db.database.owner_url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("set search_path = chassis_test; {sql}")))
        .execute(&mut owner)
        .await
        .unwrap();
}

async fn verified(db: &TestDb) -> Verification {
    verify(db.context.db.read().await.unwrap().sql(), "malu").await.unwrap()
}

#[tokio::test]
async fn what_was_changed_dropped_or_reordered_is_named() {
    for (harm, place, fault) in [
        ("update audit set summary = 'nothing' where id = (select id from audit_seal where seq = 2)", 2, "CHANGED"),
        ("delete from audit where id = (select id from audit_seal where seq = 3)", 3, "MISSING"),
        ("delete from audit_seal where seq = 2", 2, "MISSING"),
        ("update audit_seal set seq = -seq, hash = hash where false; create table swap as select id from audit_seal where seq = 2;
          delete from audit_seal where seq = 2; update audit_seal set seq = 2 where seq = 3;
          insert into audit_seal (town, seq, id, hash) select 'malu', 3, id, sha256('x') from swap", 2, "CHANGED"),
        ("insert into audit (town, id, principal, method, resource, summary) values ('malu', gen_random_uuid(), 'x', 'x', 'x', 'x')", 5, "UNSEALED"),
    ] {
        let db = db().await;
        fill(&db, 4).await;
        assert_eq!((verified(&db).await.fault, verified(&db).await.records), (None, 4));
        owner(&db, harm).await;
        assert_eq!(verified(&db).await.fault, Some((place, fault)), "{harm}");
    }
}

#[tokio::test]
async fn a_late_commit_is_not_skipped_and_a_resource_keeps_its_order() {
    let db = db().await;
    // begun first, committed last: it has written, so its place in line is drawn already
    let mut late = begin(&db).await;
    sqlx::query("insert into event (town, id, resource, type, data) values ('malu', gen_random_uuid(), 'late', 'late', '{}')")
        .execute(late.sql())
        .await
        .unwrap();
    begin(&db).await.commit(record("towns/malu", 1)).await.unwrap();
    begin(&db).await.commit(record("towns/malu", 2)).await.unwrap();
    assert_eq!(pass(&db.context.db, &[]).await.unwrap(), 2);
    late.commit(record("towns/other", 1)).await.unwrap();
    pass(&db.context.db, &[]).await.unwrap();
    let mut read = db.context.db.read().await.unwrap();
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select seq, resource from event order by seq").fetch_all(read.sql()).await.unwrap();
    let resources: Vec<&str> = rows.iter().map(|(_, resource)| resource.as_str()).collect();
    assert_eq!(resources, ["towns/malu", "towns/malu", "late", "towns/other"]);
    assert_eq!(rows.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn writers_and_sealers_at_once_leave_no_hole() {
    let db = db().await;
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(24));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24 {
        let (db, barrier) = (db.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            for version in 1..=4 {
                begin(&db).await.commit(record(&format!("towns/t{n}"), version)).await.unwrap();
                pass(&db.context.db, &[]).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    while pass(&db.context.db, &[]).await.unwrap() > 0 {}
    let found = verified(&db).await;
    assert_eq!((found.fault, found.records, found.unsealed), (None, 96, 0));
    let mut read = db.context.db.read().await.unwrap();
    let holes: (i64, i64) =
        sqlx::query_as("select max(seq), count(*) from event").fetch_one(read.sql()).await.unwrap();
    assert_eq!(holes, (96, 96));
    let disorder: (i64,) = sqlx::query_as(
        "select count(*) from event a join event b on a.resource = b.resource and a.seq < b.seq
         where (a.data ->> 'version')::int > (b.data ->> 'version')::int",
    )
    .fetch_one(read.sql())
    .await
    .unwrap();
    assert_eq!(disorder, (0,));
}

#[tokio::test]
async fn request_ids_are_forgotten_after_thirty_days() {
    let db = db().await;
    fill(&db, 2).await;
    owner(&db, "update idempotency set created = now() - interval '31 days' where request_id = (select request_id from idempotency limit 1)").await;
    assert_eq!(forget(&db.context.db).await.unwrap(), 1);
    assert_eq!(forget(&db.context.db).await.unwrap(), 0);
}
