use proptest::prelude::*;

use super::*;

fn lines(count: i32) -> Vec<Line> {
    let line = |n: i32| Line {
        n,
        expense: format!("支-2020-{n:06}"),
        amount: Fen::of(i64::from(n) * 100),
        said: Said::Nothing,
    };
    (1..=count).map(line).collect()
}

fn answer(n: i32, paid: bool) -> Answer {
    Answer {
        row: 2,
        line: Some(n),
        expense: None,
        amount: Fen::of(i64::from(n) * 100),
        paid: paid.then(|| format!("ref-{n}")),
        reason: String::new(),
    }
}

fn outcomes(lines: &[Line], answers: &[Answer]) -> Vec<Outcome> {
    reconcile(lines, answers).iter().map(|matched| matched.outcome).collect()
}

/// What a batch's lines are after a file.
fn after(lines: &[Line], answers: &[Answer]) -> Vec<Line> {
    let mut after = lines.to_vec();
    for matched in reconcile(lines, answers) {
        let (Some(answer), Some(line)) = (matched.answer, matched.line) else { continue };
        match matched.outcome.moves() {
            Some(Moves::Paid) => after[line].said = Said::Paid(answers[answer].paid.clone().unwrap()),
            Some(Moves::Failed) => after[line].said = Said::Failed,
            None => {}
        }
    }
    after
}

#[test]
fn the_table_is_whole() {
    assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    assert_eq!(number(2020, 7), "付-2020-000007");
}

#[test]
fn each_row_and_each_line_that_is_missing_has_its_outcome() {
    use Outcome::{AmountDiffers, Contradicts, Failed, Missing, Paid, Repeated, UnknownLine};
    let by_number = Answer { line: None, expense: Some("支-2020-000003".to_owned()), ..answer(3, true) };
    let crossed = Answer { expense: Some("支-2020-000003".to_owned()), ..answer(1, true) };
    let nameless = Answer { line: None, ..answer(1, true) };
    let dearer = Answer { amount: Fen::of(1), ..answer(4, true) };
    let file = [
        answer(1, true),
        answer(2, false),
        by_number,
        answer(9, true),
        crossed,
        nameless,
        dearer,
        answer(1, true),
        answer(1, false),
    ];
    assert_eq!(
        outcomes(&lines(5), &file),
        [
            Paid,
            Failed,
            Paid,
            UnknownLine,
            UnknownLine,
            UnknownLine,
            AmountDiffers,
            Repeated,
            Contradicts,
            Missing
        ]
    );
    // a second payment of one line under another reference is no repetition
    let twice = Answer { paid: Some("another".to_owned()), ..answer(1, true) };
    assert_eq!(outcomes(&lines(1), &[answer(1, true), twice]), [Paid, Contradicts]);
}

#[test]
fn one_reference_for_several_lines_is_paid_and_listed() {
    use Outcome::{Paid, Repeated, RepeatedReference};
    let under_one = |n| Answer { paid: Some("ref-1".to_owned()), ..answer(n, true) };
    let file = [under_one(1), under_one(2), answer(3, true), under_one(1)];
    assert_eq!(outcomes(&lines(3), &file), [Paid, RepeatedReference, Paid, Repeated]);
    // in a later file too, and the same file again says nothing new
    let then = after(&lines(3), &file[..1]);
    assert_eq!(outcomes(&then, &[under_one(3)])[0], RepeatedReference);
    let then = after(&lines(3), &file);
    assert_eq!(outcomes(&then, &file), [Repeated; 4]);
    assert!(RepeatedReference.is_difference() && RepeatedReference.moves() == Some(Moves::Paid));
}

proptest! {
    /// Whatever a file says: a line moves once at most, the same file again moves nothing, and what was missing may follow in another.
    #[test]
    fn a_file_read_twice_moves_nothing(
        count in 1i32..8,
        file in prop::collection::vec((1i32..10, any::<bool>(), any::<bool>()), 0..24),
    ) {
        let before = lines(count);
        let file: Vec<Answer> = file
            .into_iter()
            .map(|(n, paid, right)| Answer { amount: Fen::of(if right { i64::from(n) * 100 } else { 7 }), ..answer(n, paid) })
            .collect();
        let first = reconcile(&before, &file);
        let moved: Vec<usize> = first
            .iter()
            .filter(|matched| matches!(matched.outcome, Outcome::Paid | Outcome::Failed))
            .filter_map(|matched| matched.line)
            .collect();
        prop_assert_eq!(moved.iter().collect::<HashSet<_>>().len(), moved.len());
        let then = after(&before, &file);
        prop_assert!(reconcile(&then, &file).iter().all(|matched| !matches!(matched.outcome, Outcome::Paid | Outcome::Failed)));
        // the rest comes in a second file, after which nothing is open
        let rest: Vec<Answer> = then.iter().filter(|line| line.said == Said::Nothing).map(|line| answer(line.n, true)).collect();
        prop_assert!(outcomes(&then, &rest).iter().all(|outcome| *outcome == Outcome::Paid));
        let pending = after(&then, &rest).iter().filter(|line| line.said == Said::Nothing).count();
        prop_assert_eq!(after_file(pending), State::Reconciled);
        // every line is told of: answered, in question, or missing
        let told: HashSet<usize> = first.iter().filter_map(|matched| matched.line).collect();
        prop_assert_eq!(told.len(), before.len());
    }
}
