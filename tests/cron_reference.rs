//! Schedules: `cronexpr` and the reference's `nncp-cronexpr`, asked the same.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use std::process::Command;

/// All forms of the dialect, and what is none.
const EXPRESSIONS: &str = include_str!("../testvectors/cron/expressions.txt");

/// Exit status 0 or not, and the times.
fn answer(mut command: Command, expression: &str) -> (bool, Vec<String>) {
    let output = command.args(["-num", "5", "--", expression]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text.lines().skip(1).map(str::to_owned).collect())
}

fn same(expression: &str) -> bool {
    let mut ours = Command::new(env!("CARGO_BIN_EXE_packmule"));
    ours.arg("cronexpr");
    answer(ours, expression) == answer(Command::new("nncp-cronexpr"), expression)
}

#[test]
fn all_forms_are_due_when_the_reference_says() {
    if Command::new("nncp-cronexpr").arg("-version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "nncp-cronexpr is not installed");
        println!("skipped: nncp-cronexpr is not installed");
        return;
    }
    // A second may pass between the two: then they are asked again.
    let differ = |text: &&str| !same(text) && !same(text);
    let wrong: Vec<&str> = EXPRESSIONS.lines().filter(differ).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
