//! Claims on incidents, against a database.

use chassis::{
    clock::Clock,
    db::Schema,
    testing::{TestDb, call},
    work::Record,
};
use jiff::civil::date;

use super::*;

const CLAIM: &str = "towns/malu/claims/one";

async fn work(db: &TestDb) -> Work {
    let clock = Clock::starting(date(2020, 2, 20));
    let call = call("claimant", "town-officer", "towns/malu", "m", "insurance.claims.create", &clock);
    Work::plain(&db.context.db, &call).await.unwrap()
}

async fn commit(work: Work, change: Option<Change>) {
    let record = Record {
        town: "malu".to_owned(),
        resource: CLAIM.to_owned(),
        summary: "claim".to_owned(),
        changes: change.into_iter().collect(),
        answer: contracts::linli::insurance::v1::Incident::default(),
    };
    work.commit(record).await.unwrap();
}

/// An incident of the town in `state`.
async fn incident(db: &TestDb, state: State) -> Uuid {
    let mut work = work(db).await;
    let id = Uuid::now_v7();
    let n = store::next_number(work.sql(), "malu", 2020).await.unwrap();
    let mut row = Row {
        town: "malu".to_owned(),
        id,
        number: crate::incident::rules::number(2020, n),
        state: "REPORTED".to_owned(),
        peril: "FIRE".to_owned(),
        happened_on: "2020-02-14".to_owned(),
        place_kind: "TEXT".to_owned(),
        place: id.to_string(),
        data_key: 1,
        source: "FAMILY".to_owned(),
        event: id,
        reported_on: "2020-02-15".to_owned(),
        reported_by: "x".to_owned(),
        ..Row::default()
    };
    store::create(work.sql(), &row, 2020).await.unwrap();
    if matches!(state, State::Verified | State::NotCovered) {
        (row.verified_on, row.verified_by) = (Some("2020-02-16".to_owned()), Some("y".to_owned()));
        (row.covered, row.verification) = (Some(state == State::Verified), 1);
    }
    row.state = kernel::state::Named::name(state).to_owned();
    if state != State::Reported {
        store::save(work.sql(), &mut row).await.unwrap();
    }
    commit(work, None).await;
    id
}

async fn open(db: &TestDb, id: Uuid, claim: &str) -> (Row, Option<Change>) {
    let mut work = work(db).await;
    let (row, change) = open_claim(&mut work, "malu", id, claim).await.unwrap();
    commit(work, change.clone()).await;
    (row, change)
}

async fn gone(db: &TestDb, id: Uuid) -> Option<Change> {
    let mut work = work(db).await;
    let change = claim_gone(&mut work, "malu", id).await.unwrap();
    commit(work, change.clone()).await;
    change
}

async fn row(db: &TestDb, id: Uuid) -> Row {
    let mut work = work(db).await;
    lock(&mut work, "malu", id).await.unwrap().row
}

#[tokio::test]
async fn a_claim_takes_its_incident_and_gives_it_back() {
    let db = TestDb::new(&Schema::new("insurance", &crate::MIGRATIONS)).await;
    let id = incident(&db, State::Verified).await;
    let (claimed, change) = open(&db, id, CLAIM).await;
    let change = change.unwrap();
    assert_eq!((claimed.state.as_str(), claimed.claim.as_str()), ("CLAIMED", CLAIM));
    assert_eq!(
        (change.verb, change.from_state, change.to_state, change.version),
        ("claim", "VERIFIED", "CLAIMED", claimed.version)
    );
    // another claim of the same incident changes nothing
    let (again, change) = open(&db, id, "towns/malu/claims/two").await;
    assert_eq!((again.claim.as_str(), again.version, change.is_none()), (CLAIM, claimed.version, true));
    let change = gone(&db, id).await.unwrap();
    assert_eq!((change.verb, change.to_state), ("releaseClaim", "VERIFIED"));
    let free = row(&db, id).await;
    assert_eq!((free.state.as_str(), free.claim.as_str()), ("VERIFIED", ""));
}

#[tokio::test]
async fn a_claim_on_what_is_not_verified_or_not_covered_is_noted_alone() {
    let db = TestDb::new(&Schema::new("insurance", &crate::MIGRATIONS)).await;
    for state in [State::Reported, State::NotCovered] {
        let id = incident(&db, state).await;
        let before = row(&db, id).await;
        let (noted, change) = open(&db, id, CLAIM).await;
        assert!(change.is_none());
        assert_eq!((noted.state, noted.claim.as_str(), noted.version), (before.state, CLAIM, before.version));
        assert!(gone(&db, id).await.is_none());
        assert_eq!(row(&db, id).await.claim, "");
    }
}

#[tokio::test]
async fn nothing_is_claimed_of_a_closed_incident_or_one_that_is_not_there() {
    let db = TestDb::new(&Schema::new("insurance", &crate::MIGRATIONS)).await;
    let closed = incident(&db, State::Closed).await;
    for (id, reason) in [(closed, "WRONG_STATE"), (Uuid::now_v7(), "NOT_FOUND")] {
        let mut work = work(&db).await;
        let refused = open_claim(&mut work, "malu", id, CLAIM).await.unwrap_err();
        assert_eq!(refused.reason().name, reason);
    }
}

#[tokio::test]
async fn of_two_claims_at_once_one_takes_the_incident() {
    let db = TestDb::new(&Schema::new("insurance", &crate::MIGRATIONS)).await;
    let id = incident(&db, State::Verified).await;
    let (one, two) =
        futures_util::future::join(open(&db, id, CLAIM), open(&db, id, "towns/malu/claims/two")).await;
    assert_eq!([one.1, two.1].into_iter().flatten().count(), 1);
    assert_eq!(one.0.claim, two.0.claim);
}
