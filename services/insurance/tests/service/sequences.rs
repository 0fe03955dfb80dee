//! Random lives of claims over the real service: whoever does whatever in whatever order, while policies are endorsed and terminated, people
//! move and days pass. After each step plain SQL, which knows nothing of the code, finds no limit passed, no loss paid twice, nothing paid
//! that wasn't covered, and what is refused leaves every byte as it was.

mod acts;
mod books;
mod steps;

use contracts::linli::insurance::v1 as pb;
use jiff::civil::{Date, date};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tonic::Status;

use self::{
    acts::{Act, act},
    books::Books,
};
use crate::{
    claims::Event,
    harness::{Service, reason, service},
};

/// Lives, each in a database of its own.
const LIVES: u8 = 3;
/// What happens in each.
const ACTS: usize = 150;

/// Limits that a few claims use up, of every kind, and a document that nobody has.
const SMALL: &str = "
    set local session_replication_role = replica;
    update policy_version set limit_household_year_fen = 4500000, limit_event_fen = 5000000, limit_year_fen = 12000000 where policy = 'cci-2020';
    update policy_version set limit_household_year_fen = 40000000, limit_event_fen = 30000000, limit_year_fen = 60000000 where policy = 'li-2020';
    update policy_benefit set limit_event_fen = 4000000 where policy = 'li-2020' and peril = 'TYPHOON';
    insert into claim_settings (town, accept_days, survey_days, assess_days, adjudicate_days, publish_days, notice_days, answer_days, pay_days, close_days, appeal_days)
        values ('malu', 2, 5, 10, 5, 2, 5, 5, 10, 10, 15);
    insert into claim_required_document values ('malu', 'BURST_PIPE', 'INVOICES')";

/// What a life has come to.
struct Life<'a> {
    service: &'a Service,
    books: Books,
    /// What happened: peril, day, place and person, with the incident's name.
    happened: Vec<(Met, String)>,
    /// Claims as they were answered last.
    claims: Vec<pb::Claim>,
    today: Date,
    /// Of all tables after the last call.
    digest: Vec<(String, String)>,
    done: Vec<&'static str>,
    refused: Vec<String>,
}

/// An event, by what makes it the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Met {
    peril: &'static str,
    on: Date,
    place: &'static str,
    person: &'static str,
    household: &'static str,
}

impl Met {
    fn event(&self) -> Event<'static> {
        Event {
            peril: self.peril,
            on: self.on,
            place: self.place,
            person: self.person,
            household: self.household,
        }
    }
}

impl Life<'_> {
    /// Tries one call: done, it is counted; refused, every byte is as it was and the reason is one of the service's own.
    async fn tried<T>(
        &mut self,
        what: &'static str,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Option<T> {
        match call.await {
            Ok(answer) => {
                self.digest = self.books.digest().await;
                self.done.push(what);
                Some(answer)
            }
            Err(status) => {
                let why = reason(&status);
                assert!(!["", "INTERNAL", "CONFLICT"].contains(&why.as_str()), "{what}: {status:?}");
                let after = self.books.digest().await;
                let changed = after.iter().zip(&self.digest).find(|(one, other)| one != other);
                assert!(changed.is_none(), "{what}, refused by {why}, changed {changed:?}");
                self.refused.push(format!("{what} {why}"));
                None
            }
        }
    }
}

async fn live(seed: u8) -> (Vec<&'static str>, Vec<String>) {
    let today = date(2020, 3, 4);
    let service = service(today).await;
    service.schemes().await;
    service.sql(SMALL).await;
    let mut books = Books::open(&service).await;
    let digest = books.digest().await;
    let (happened, claims) = (Vec::new(), Vec::new());
    let mut life =
        Life { service: &service, books, happened, claims, today, digest, done: vec![], refused: vec![] };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let acts: Vec<Act> = prop::collection::vec(act(), ACTS).new_tree(&mut runner).unwrap().current();
    for (n, act) in acts.iter().enumerate() {
        let paid_before = life.books.paid().await;
        life.act(act).await;
        life.books.check(&format!("life {seed}, act {n}: {act:?}")).await;
        life.books.check_what_was_paid(&paid_before, &format!("life {seed}, act {n}: {act:?}")).await;
    }
    (life.done, life.refused)
}

#[tokio::test]
async fn no_life_of_claims_pays_what_it_must_not() {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for seed in 0..LIVES {
        let (its_done, its_refused) = live(seed).await;
        done.extend(its_done);
        refused.extend(its_refused);
    }
    // the lives came far enough to prove something
    for verb in [
        "report",
        "accept",
        "survey",
        "assess",
        "adjudicate",
        "publish",
        "object",
        "answer",
        "appeal",
        "pay",
        "confirm",
        "close",
        "withdraw",
        "reopen",
        "reverse",
        "ask",
        "resume",
        "update",
        "endorse",
        "sign",
        "terminate",
    ] {
        assert!(done.contains(&verb), "{verb} was never done");
    }
    assert!(refused.len() > 100, "{refused:?}");
}
