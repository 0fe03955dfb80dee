//! The parts of a file in the object store: sealed, bound to their place, one in memory at a time.

use chassis::{objects::Objects, refusal::Refusal, vault::Vault};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    rules::Passing,
    store::{Part, Row},
};

/// Where the parts of a document lie.
fn folder(row: &Row) -> String {
    format!("{}/{}", row.town, row.id)
}

/// Where a part lies. Two uploads of one part, at once or one after the other that broke, never lie in one place.
fn key(row: &Row, n: i32, object: Uuid) -> String {
    format!("{}/{n}-{}", folder(row), object.simple())
}

/// What a part is sealed for.
fn place(row: &Row, n: i32) -> String {
    format!("{} part {n}", row.name())
}

/// Seals the next part of a document and puts it into the store; nothing knows of it until it is recorded.
///
/// # Errors
/// UNAVAILABLE when the store fails.
pub(super) async fn put(
    objects: &Objects,
    vault: &Vault,
    row: &Row,
    content: &[u8],
) -> Result<Part, Refusal> {
    let (n, object) = (row.parts, Uuid::new_v4());
    objects.put(&key(row, n, object), vault.seal(&place(row, n), content)?).await?;
    Ok(Part {
        n,
        object,
        from_byte: row.written_bytes,
        bytes: i32::try_from(content.len()).map_err(Refusal::internal)?,
        sha256: Sha256::digest(content).to_vec(),
    })
}

/// The content of a part.
///
/// # Errors
/// UNAVAILABLE when the store fails; INTERNAL when what lies there isn't what was put.
pub(super) async fn get(
    objects: &Objects,
    vault: &Vault,
    row: &Row,
    part: &Part,
) -> Result<Vec<u8>, Refusal> {
    let broken = |what: &str| Refusal::internal(format!("part {} of {} {what}", part.n, row.name()));
    let sealed = objects.get(&key(row, part.n, part.object)).await?.ok_or_else(|| broken("is missing"))?;
    let content = vault.open(&place(row, part.n), &sealed)?;
    if Sha256::digest(&content)[..] != part.sha256 {
        return Err(broken("is another one"));
    }
    Ok(content)
}

/// Puts a part once more, sealed with the key of now: the object that it lies in then.
///
/// # Errors
/// Those of [`get`] and [`put`].
pub(super) async fn put_again(
    objects: &Objects,
    vault: &Vault,
    row: &Row,
    part: &Part,
) -> Result<Uuid, Refusal> {
    let (content, object) = (get(objects, vault, row, part).await?, Uuid::new_v4());
    objects.put(&key(row, part.n, object), vault.seal(&place(row, part.n), &content)?).await?;
    Ok(object)
}

/// Takes away an object that a part lay in.
///
/// # Errors
/// UNAVAILABLE when the store fails.
pub(super) async fn remove(objects: &Objects, row: &Row, n: i32, object: Uuid) -> Result<(), Refusal> {
    objects.delete(&key(row, n, object)).await
}

/// Takes away what was put and never recorded. What can't be taken away now lies there sealed and unknown.
pub(super) async fn forget(objects: &Objects, row: &Row, part: &Part) {
    if let Err(refusal) = remove(objects, row, part.n, part.object).await {
        tracing::warn!(error = %refusal, "a part that nothing knows of stays in the object store");
    }
}

/// Takes away whatever lies there of a document that was given up. `false` when it can't be now: a sweep comes again.
pub(super) async fn clear(objects: &Objects, row: &Row) -> bool {
    let cleared = objects.clear(&folder(row)).await;
    if let Err(refusal) = &cleared {
        tracing::warn!(error = %refusal, "parts of an upload that was given up stay in the object store");
    }
    cleared.is_ok()
}

/// Lets a file pass by, part by part: the one before is dropped when the next one comes.
///
/// # Errors
/// Those of [`get`].
pub(super) async fn pass(
    objects: &Objects,
    vault: &Vault,
    row: &Row,
    parts: &[Part],
) -> Result<Passing, Refusal> {
    let mut passing = Passing::new();
    for part in parts {
        passing.take(&get(objects, vault, row, part).await?);
    }
    Ok(passing)
}
