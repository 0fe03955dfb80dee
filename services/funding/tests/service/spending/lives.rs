//! Random lives of expenses: nothing comes from nowhere, a refusal changes no byte, a repetition changes nothing and answers the same.

use contracts::linli::funding::v1 as pb;
use jiff::{ToSpan, civil::date};
use tonic::Request;

use super::{APPLICANT, APPROVER, CASHIER, NEIGHBOUR, REVIEWER, Step, application, funded, office, voucher};
use crate::harness::{Service, uuid, with};

/// A generator that gives the same numbers on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

const PEOPLE: [(&str, &str); 8] = [
    APPLICANT,
    REVIEWER,
    APPROVER,
    CASHIER,
    NEIGHBOUR,
    ("w-007", "town-officer"),
    ("w-001", "town-cashier"),
    ("town-officer-1", "town-cashier"),
];

fn amount(dice: &mut Dice) -> i64 {
    [1, 4_200, 150_000, 2_000_001, 9_000_000, 0][dice.roll(6)]
}

/// What `verb` asks for, with good or bad figures.
async fn step_of(service: &Service, dice: &mut Dice, expense: &pb::Expense, verb: &str) -> Step {
    match verb {
        "revise" => Step::Revise(Some(amount(dice))),
        "review" => Step::Review,
        "publishNotice" => Step::Publish,
        "object" => Step::Object("有异议".to_owned()),
        "answerObjection" => {
            let shown = service.expense(APPROVER, &expense.name).await;
            let open = shown.objections.iter().find(|one| one.state() == pb::ObjectionState::Open);
            Step::Answer(open.map_or_else(uuid, |one| one.id.clone()), "已答复".to_owned())
        }
        "approve" => Step::Approve,
        "requestRevision" => Step::SendBack,
        "reject" => Step::Reject("不符".to_owned()),
        "withdraw" => Step::Withdraw,
        "pay" => Step::Pay(format!("b-{}", dice.roll(1_000))),
        "settle" => {
            let paid = expense
                .amount
                .as_ref()
                .map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000));
            let proved = [paid, paid - 1, paid + 1, 1][dice.roll(4)];
            Step::Settle(
                vec![voucher(&format!("v-{}", dice.roll(30)), proved)],
                ["", "r"][dice.roll(2)].to_owned(),
            )
        }
        _ => Step::Disclose(format!("towns/malu/disclosures/d-{}", dice.roll(9))),
    }
}

const VERBS: [&str; 12] = [
    "revise",
    "review",
    "publishNotice",
    "object",
    "answerObjection",
    "approve",
    "requestRevision",
    "reject",
    "withdraw",
    "pay",
    "settle",
    "disclose",
];

/// What somebody tries: mostly what he is told that he may, else anything.
async fn walk_on(service: &Service, dice: &mut Dice, who: (&str, &str), expense: &pb::Expense) -> Step {
    let shown = service.expense(who, &expense.name).await;
    let open = shown
        .available_actions
        .iter()
        .filter(|action| action.allowed && VERBS.contains(&action.verb.as_str()));
    // the ways out are seldom taken, so that something is left to pay
    let open: Vec<&str> = open
        .map(|action| action.verb.as_str())
        .filter(|verb| {
            dice.roll(6) == 0 || !["withdraw", "reject", "requestRevision", "object"].contains(verb)
        })
        .collect();
    let any = VERBS[dice.roll(VERBS.len())];
    let verb = if dice.roll(4) == 0 || open.is_empty() { any } else { open[dice.roll(open.len())] };
    step_of(service, dice, expense, verb).await
}

#[tokio::test]
async fn whatever_is_tried_by_whom_the_books_are_sound_and_a_refusal_leaves_no_trace() {
    for seed in [3, 20_200_603] {
        let service = funded(date(2020, 6, 1)).await;
        let mut dice = Dice(seed);
        let (mut expenses, mut done, mut refused) = (Vec::new(), 0, 0);
        for round in 0..80_i32 {
            if dice.roll(6) == 0 {
                service.clock.set(date(2020, 6, 1) + i64::from(round).days()).unwrap();
            }
            let before = service.dump().await;
            let who = PEOPLE[dice.roll(PEOPLE.len())];
            let answer = if expenses.len() < 3 || (expenses.len() < 9 && dice.roll(8) == 0) {
                let request = match dice.roll(3) {
                    0 => office(amount(&mut dice)),
                    1 => application("c2", pb::Fund::Service, "AID", amount(&mut dice)),
                    _ => application("c2", pb::Fund::Service, "OFFICE", amount(&mut dice)),
                };
                let answer = service.apply(who, request).await;
                answer.inspect(|expense| expenses.push(expense.clone()))
            } else {
                let at = dice.roll(expenses.len());
                let step = walk_on(&service, &mut dice, who, &expenses[at]).await;
                let answer = service.walk_on(who, &expenses[at], step).await;
                answer.inspect(|expense| expenses[at] = expense.clone())
            };
            match answer {
                Ok(_) => done += 1,
                Err(status) => {
                    refused += 1;
                    assert_ne!(
                        status.code(),
                        tonic::Code::Internal,
                        "seed {seed}, round {round}: {status:?}"
                    );
                    assert_eq!(service.dump().await, before, "seed {seed}, round {round}: {status:?}");
                }
            }
            service.sound().await;
        }
        assert!(done > 10 && refused > 10, "{done} done, {refused} refused");
    }
}

/// Calls twice with the same request, and once with another body under its id.
async fn twice<T, A>(
    service: &Service,
    who: (&str, &str),
    request: T,
    other: T,
    call: impl AsyncFn(Request<T>) -> Result<tonic::Response<A>, tonic::Status>,
) -> A
where
    T: Clone,
    A: PartialEq + std::fmt::Debug,
{
    let token = service.of(who);
    let first = call(with(request.clone(), &token)).await.unwrap().into_inner();
    let before = service.dump().await;
    let again = call(with(request, &token)).await.unwrap();
    assert_eq!(again.metadata().get("linli-replayed").unwrap(), "true");
    assert_eq!(again.into_inner(), first);
    let refused = call(with(other, &token)).await.unwrap_err();
    assert_eq!(crate::harness::reason(&refused), "REQUEST_ID_REUSED");
    assert_eq!(service.dump().await, before);
    first
}

#[tokio::test]
async fn a_repetition_changes_nothing_and_answers_the_same() {
    let service = funded(date(2020, 6, 1)).await;
    let request = office(5_000);
    let other = pb::CreateExpenseRequest { request_id: request.request_id.clone(), ..office(6_000) };
    let applied = twice(&service, APPLICANT, request, other, async |request| {
        service.expenses().create_expense(request).await
    })
    .await;
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let approve = |comment: &str, id: &str| pb::ApproveExpenseRequest {
        name: reviewed.name.clone(),
        etag: reviewed.etag.clone(),
        request_id: id.to_owned(),
        comment: comment.to_owned(),
        validate_only: false,
    };
    let id = uuid();
    let approved = twice(&service, APPROVER, approve("", &id), approve("x", &id), async |request| {
        service.expenses().approve_expense(request).await
    })
    .await;
    let pay = |reference: &str, id: &str| pb::PayExpenseRequest {
        name: approved.name.clone(),
        etag: approved.etag.clone(),
        request_id: id.to_owned(),
        bank_reference: reference.to_owned(),
        ..Default::default()
    };
    let id = uuid();
    twice(&service, CASHIER, pay("a", &id), pay("b", &id), async |request| {
        service.expenses().pay_expense(request).await
    })
    .await;
    assert_eq!(service.number("select count(*) from entry where kind = 'EXPENSE'").await, 1);
    service.sound().await;
}

#[tokio::test]
async fn a_check_stores_nothing() {
    let service = funded(date(2020, 6, 1)).await;
    let before = service.dump().await;
    let request = pb::CreateExpenseRequest { validate_only: true, ..office(5_000) };
    assert_eq!(service.apply(APPLICANT, request).await.unwrap().state(), pb::ExpenseState::Applied);
    assert_eq!(service.dump().await, before);
}
