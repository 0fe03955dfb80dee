//! Random lives of a ledger against a plain model of it.

use std::collections::HashMap;

use contracts::linli::funding::v1 as pb;
use jiff::civil::date;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::harness::{Service, fen, service, uuid};

/// What somebody does. Accounts and holds by their places in the lists, amounts in fen.
#[derive(Clone, Debug)]
enum Act {
    Hold { from: usize, into: usize, amount: i64 },
    Post { hold: usize, amount: Option<i64> },
    Void { hold: usize },
    Reverse { entry: usize },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..4usize, -5..120i64).prop_map(|(from, amount)| Act::Hold { from, into: from ^ 1, amount }),
        1 => (0..4usize, 0..4usize, 1..900i64).prop_map(|(from, into, amount)| Act::Hold { from, into, amount }),
        4 => (0..12usize, proptest::option::of(-5..120i64)).prop_map(|(hold, amount)| Act::Post { hold, amount }),
        1 => (0..12usize).prop_map(|hold| Act::Void { hold }),
        1 => (0..4usize).prop_map(|entry| Act::Reverse { entry }),
    ]
}

/// The ledger as a child would keep it: a purse for each account, and what is promised out of it.
#[derive(Default)]
struct Model {
    purse: [i64; 4],
    promised: [i64; 4],
    holds: Vec<(usize, usize, i64, bool)>,
    moved: Vec<(usize, usize, i64, bool)>,
}

impl Model {
    /// Whether an act should succeed, and what it does.
    fn act(&mut self, act: &Act) -> bool {
        match *act {
            Act::Hold { from, into, amount } => {
                // 0 and 1 are the work fund of two committees, 2 and 3 their service fund
                let good = amount > 0
                    && from != into
                    && from / 2 == into / 2
                    && amount <= self.purse[from] - self.promised[from];
                if good {
                    self.promised[from] += amount;
                    self.holds.push((from, into, amount, true));
                }
                good
            }
            Act::Post { hold, amount } => {
                let Some((from, into, held, open)) = self.holds.get(hold).copied() else { return false };
                let amount = amount.unwrap_or(held);
                let good = open && amount > 0 && amount <= held;
                if good {
                    self.holds[hold].3 = false;
                    self.promised[from] -= held;
                    self.purse[from] -= amount;
                    self.purse[into] += amount;
                    self.moved.push((from, into, amount, true));
                }
                good
            }
            Act::Void { hold } => {
                let Some((from, _, held, true)) = self.holds.get(hold).copied() else { return false };
                self.holds[hold].3 = false;
                self.promised[from] -= held;
                true
            }
            Act::Reverse { entry } => {
                let Some((from, into, amount, standing)) = self.moved.get(entry).copied() else {
                    return false;
                };
                let good = standing && amount <= self.purse[into] - self.promised[into];
                if good {
                    self.moved[entry].3 = false;
                    self.purse[from] += amount;
                    self.purse[into] -= amount;
                }
                good
            }
        }
    }
}

struct Life<'a> {
    service: &'a Service,
    accounts: [String; 4],
    holds: Vec<pb::Hold>,
    entries: Vec<String>,
}

impl Life<'_> {
    /// Does it, and does it again under the same request id: the second answer is the first.
    async fn act(&mut self, act: &Act) -> bool {
        let (service, request_id) = (self.service, uuid());
        let mut ledger = service.ledger();
        match act {
            Act::Hold { from, into, amount } => {
                let hold = pb::Hold {
                    account: self.accounts[*from].clone(),
                    into_account: self.accounts[*into].clone(),
                    amount: Some(fen(*amount)),
                    purpose: "p".to_owned(),
                    ..Default::default()
                };
                let request = pb::CreateHoldRequest {
                    parent: "towns/malu".to_owned(),
                    hold: Some(hold),
                    request_id,
                    validate_only: false,
                };
                let Ok(made) = ledger.create_hold(service.officer("a", request.clone())).await else {
                    return false;
                };
                let again = ledger.create_hold(service.officer("a", request)).await.unwrap();
                assert_eq!(made.get_ref(), again.get_ref());
                self.holds.push(made.into_inner());
            }
            Act::Post { hold, amount } => {
                let Some(hold) = self.holds.get_mut(*hold) else { return false };
                let request = pb::PostHoldRequest {
                    name: hold.name.clone(),
                    etag: hold.etag.clone(),
                    request_id,
                    amount: amount.map(fen),
                    ..Default::default()
                };
                let Ok(posted) = ledger.post_hold(service.officer("b", request.clone())).await else {
                    return false;
                };
                let again = ledger.post_hold(service.officer("b", request)).await.unwrap();
                assert_eq!(posted.get_ref(), again.get_ref());
                *hold = posted.into_inner();
                self.entries.push(hold.entry.clone());
            }
            Act::Void { hold } => {
                let Some(hold) = self.holds.get_mut(*hold) else { return false };
                let (name, etag) = (hold.name.clone(), hold.etag.clone());
                let request = pb::VoidHoldRequest { name, etag, request_id, ..Default::default() };
                let Ok(voided) = ledger.void_hold(service.officer("a", request)).await else { return false };
                *hold = voided.into_inner();
            }
            Act::Reverse { entry } => {
                let Some(name) = self.entries.get(*entry).cloned() else { return false };
                let request = pb::ReverseEntryRequest {
                    name,
                    etag: "v1".to_owned(),
                    request_id,
                    comment: "c".to_owned(),
                    validate_only: false,
                };
                return ledger.reverse_entry(service.officer("c", request)).await.is_ok();
            }
        }
        true
    }

    /// Balance and available amount of each account, as the service tells them.
    async fn told(&self) -> Vec<(i64, i64)> {
        let list = pb::ListAccountsRequest {
            parent: "towns/malu".to_owned(),
            filter: "kind = COMMITTEE".to_owned(),
            ..Default::default()
        };
        let found = self.service.ledger().list_accounts(self.service.officer("o", list)).await.unwrap();
        let amount = |money: Option<contracts::google::r#type::Money>| {
            money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
        };
        let told: HashMap<String, (i64, i64)> = found
            .into_inner()
            .accounts
            .into_iter()
            .map(|account| (account.name, (amount(account.balance), amount(account.available))))
            .collect();
        self.accounts.iter().map(|name| told[name]).collect()
    }
}

/// After every act the balances are those of the model, nothing is below zero and all postings add up to zero; what is refused
/// leaves every byte as it was.
#[tokio::test]
async fn a_ledger_lives_as_the_plain_model_of_it() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let accounts = [
        service.give("c1", "WORK", 2020, 500).await,
        service.give("c2", "WORK", 2020, 300).await,
        service.give("c1", "SERVICE", 2020, 200).await,
        service.give("c2", "SERVICE", 2020, 100).await,
    ];
    let mut life = Life { service: &service, accounts, holds: Vec::new(), entries: Vec::new() };
    let mut model = Model { purse: [500, 300, 200, 100], ..Model::default() };
    let mut runner = TestRunner::deterministic();
    let acts = proptest::collection::vec(act(), 120).new_tree(&mut runner).unwrap().current();
    let (mut done, mut refused) = (0, 0);
    for act in acts {
        let before = service.dump().await;
        let expected = model.act(&act);
        assert_eq!(life.act(&act).await, expected, "{act:?}");
        if expected {
            done += 1;
        } else {
            refused += 1;
            assert_eq!(service.dump().await, before, "{act:?}");
        }
        let wanted: Vec<(i64, i64)> =
            (0..4).map(|n| (model.purse[n], model.purse[n] - model.promised[n])).collect();
        assert_eq!(life.told().await, wanted, "{act:?}");
        assert_eq!(service.number("select coalesce(sum(amount_fen), 0)::bigint from posting").await, 0);
    }
    assert!(done > 20 && refused > 20, "{done} done, {refused} refused");
}
