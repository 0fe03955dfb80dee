//! Parts of files sealed with the key of now: each is put once more and lies elsewhere then; what lay there before is taken away when
//! that is recorded.

use chassis::{
    context::Context,
    objects::Objects,
    refusal::{Refusal, UNAVAILABLE},
    work::Work,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    parts,
    store::{Part, Row, reseal},
};

/// Parts of one step: 16 MiB at most pass by.
pub(crate) const STEP: i64 = 16;

/// A part in the object store that nothing refers to any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Left {
    document: Uuid,
    n: i32,
    object: Uuid,
}

/// What a step put into the store before it is recorded.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Where the next step goes on: the last document and part.
    pub(crate) reached: Option<(Uuid, i32)>,
    /// Parts that were looked at.
    pub(crate) seen: i64,
    /// Parts that couldn't be opened.
    pub(crate) unreadable: i64,
    moved: Vec<(Uuid, Part, Uuid)>,
}

fn row(town: &str, id: Uuid) -> Row {
    Row { town: town.to_owned(), id, ..Row::default() }
}

/// Puts the next parts behind `after` once more. No connection is held meanwhile.
///
/// # Errors
/// UNAVAILABLE when the store fails.
pub(crate) async fn step(
    context: &Context,
    objects: &Objects,
    (town, key): (&str, i32),
    after: (Uuid, i32),
) -> Result<Step, Refusal> {
    let mut read = context.db.read().await?;
    let next = reseal::parts_sealed_otherwise(read.sql(), (town, key), after, STEP).await?;
    drop(read);
    let mut step = Step::default();
    for (document, part) in next {
        step.reached = Some((document, part.n));
        step.seen += 1;
        match parts::put_again(objects, context.db.vault(), &row(town, document), &part).await {
            Ok(object) => step.moved.push((document, part, object)),
            Err(refusal) if std::ptr::eq(refusal.reason(), &UNAVAILABLE) => return Err(refusal),
            Err(refusal) => {
                step.unreadable += 1;
                tracing::error!(error = %refusal, "a part of a document can't be sealed anew");
            }
        }
    }
    Ok(step)
}

/// Records where the parts lie now; what is left over afterwards.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn record(
    work: &mut Work,
    (town, key): (&str, i32),
    step: &Step,
) -> Result<Vec<Left>, Refusal> {
    let mut left = Vec::new();
    for (document, part, object) in &step.moved {
        let (from, place) = (part.object, (town, *document, part.n));
        let kept = reseal::part_moved(work.sql(), place, (from, *object), key).await?;
        left.push(Left { document: *document, n: part.n, object: if kept { from } else { *object } });
    }
    Ok(left)
}

/// Takes away what is left over; what is gone already is no fault.
///
/// # Errors
/// UNAVAILABLE when the store fails.
pub(crate) async fn take_away(objects: &Objects, town: &str, left: &[Left]) -> Result<(), Refusal> {
    for one in left {
        parts::remove(objects, &row(town, one.document), one.n, one.object).await?;
    }
    Ok(())
}
