//! Files that are too large for one call: parts of them, one after the other, each an operation of its own.
//!
//! The request id of a part follows from what is in it, so that the same command after a kill finds what is done.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tabular::{Part, Parts};

use super::{Arguments, Given, failure, import, show_rows, text};
use crate::Done;

/// Bytes of a part.
const PART: usize = 4 << 20;
/// The mode of parts.
const MODE: &str = "IMPORT_MODE_GOOD_ROWS_ONLY";

/// What became of a file so far.
#[derive(Default)]
struct Sums {
    parts: u64,
    rows: u64,
    /// Rows of parts that were done by an earlier command.
    before: u64,
    created: i64,
    updated: i64,
    unchanged: i64,
    faulty: i64,
}

pub(super) async fn run(arguments: &Arguments, mut files: Vec<Given>) -> Done {
    // what others refer to goes first
    files.sort_by_key(|file| file.order);
    for file in &files {
        one(arguments, file).await?;
    }
    Ok(())
}

async fn one(arguments: &Arguments, file: &Given) -> Done {
    let path = file.path.display();
    let open = || File::open(&file.path).map_err(|error| format!("{path}: {error}"));
    let parts = Parts::new(open()?, open()?, PART).map_err(|error| format!("{path}: {error}"))?;
    let (begun, mut sums) = (Instant::now(), Sums::default());
    for part in parts {
        let part = part.map_err(|error| format!("{path}: {error}"))?;
        let body = body(arguments, file, &part);
        let (operation, replayed) = import(&arguments.caller, file.service, body).await?;
        let name = operation["name"].as_str().unwrap_or_default().to_owned();
        if let Some(failure) = failure(&operation) {
            return Err(format!(
                "{name} (part {} of {path}, from row {}): {failure}; with --again it is sent anew",
                sums.parts + 1,
                part.first_row
            )
            .into());
        }
        let report = &operation["response"];
        sums.add(&part, report, replayed);
        show_rows(report);
        let done = part.until as f64 / file.bytes.max(1) as f64;
        eprintln!("{}: {}", file.name, sums.progress(done, begun.elapsed(), replayed));
    }
    println!("{}: {}", file.name, sums.told(arguments.dry_run));
    Ok(())
}

/// The request for a part. A dry run is done anew each time; so is what `--again` asks for.
fn body(arguments: &Arguments, file: &Given, part: &Part) -> Value {
    let id = if arguments.dry_run || arguments.again {
        uuid::Uuid::new_v4()
    } else {
        request_id(&arguments.caller.town(), file, part)
    };
    let content = STANDARD.encode(&part.content);
    let of =
        json!({"table": file.table, "fileName": file.name, "content": content, "firstRow": part.first_row});
    json!({
        "town": arguments.caller.town(), "files": [of], "requestId": id, "mode": MODE,
        "validateOnly": arguments.dry_run,
    })
}

/// What a part of a file is known by: a hash of everything that the request says.
fn request_id(town: &str, file: &Given, part: &Part) -> uuid::Uuid {
    let mut hash = Sha256::new();
    for piece in [town.as_bytes(), file.table.as_bytes(), file.name.as_bytes(), &part.first_row.to_be_bytes()]
    {
        hash.update((piece.len() as u64).to_be_bytes());
        hash.update(piece);
    }
    hash.update(&part.content);
    let hash: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl Sums {
    fn add(&mut self, part: &Part, report: &Value, replayed: bool) {
        self.parts += 1;
        self.rows += part.rows;
        self.before += if replayed { part.rows } else { 0 };
        for table in report["tables"].as_array().into_iter().flatten() {
            let number = |key: &str| text(table, key).parse::<i64>().unwrap_or_default();
            self.created += number("created");
            self.updated += number("updated");
            self.unchanged += number("unchanged");
            self.faulty += number("faulty");
        }
    }

    fn progress(&self, done: f64, took: Duration, replayed: bool) -> String {
        let rate = (self.rows - self.before) as f64 / took.as_secs_f64().max(0.001);
        let note = if replayed { ", done by an earlier command" } else { "" };
        format!(
            "part {}, {} rows, {:.0} % of the file, {rate:.0} rows/s, {} faulty{note}",
            self.parts,
            self.rows,
            done * 100.0,
            self.faulty
        )
    }

    fn told(&self, dry: bool) -> String {
        let Sums { parts, rows, before, created, updated, unchanged, faulty } = self;
        let stored = if dry { "nothing stored" } else { "good rows stored" };
        let earlier = match before {
            0 => String::new(),
            before => format!(", {before} rows of it done by an earlier command"),
        };
        format!(
            "{rows} rows in {parts} parts, {created} new, {updated} changed, {unchanged} as before, {faulty} faulty; {stored}{earlier}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_part_is_known_by_all_that_is_in_it() {
        let file = |table: &str| Given {
            table: table.to_owned(),
            service: "governance",
            order: 0,
            name: "a.csv".to_owned(),
            path: PathBuf::new(),
            bytes: 0,
        };
        let part = |first_row, content: &str| Part {
            content: content.as_bytes().to_vec(),
            first_row,
            rows: 1,
            until: 0,
        };
        let ids = [
            request_id("malu", &file("t"), &part(2, "a")),
            request_id("other", &file("t"), &part(2, "a")),
            request_id("malu", &file("u"), &part(2, "a")),
            request_id("malu", &file("t"), &part(3, "a")),
            request_id("malu", &file("t"), &part(2, "b")),
        ];
        assert_eq!(ids[0], request_id("malu", &file("t"), &part(2, "a")));
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    }
}
