//! What CI runs, one step after the other.

use std::process::Command;

use crate::Done;

/// The steps: what for, the program, its arguments.
const STEPS: &[(&str, &str, &[&str])] = &[
    ("format", "cargo", &["fmt", "--all", "--check"]),
    ("lints", "cargo", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("contracts: lint", "npx", &["--yes", "@bufbuild/buf@1.75.0", "lint"]),
    (
        "contracts: format",
        "npx",
        &["--yes", "@bufbuild/buf@1.75.0", "format", "--diff", "--exit-code", "--path", "proto/linli"],
    ),
    ("checked queries", "cargo", &["run", "--quiet", "-p", "xtask", "--", "sqlx", "--check"]),
    ("docs", "cargo", &["doc", "--quiet", "--workspace", "--no-deps"]),
    ("tests", "cargo", &["test", "--workspace"]),
];

pub(crate) fn run() -> Done {
    for (what, program, arguments) in STEPS {
        println!("== {what}: {program} {}", arguments.join(" "));
        let status = Command::new(program).args(*arguments).env("RUSTDOCFLAGS", "-D warnings").status()?;
        if !status.success() {
            return Err(format!("{what} failed").into());
        }
    }
    Ok(())
}
