//! `nncp-cronexpr`: when a schedule is due.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::stdio;
use crate::config::cron::Schedule;
use jiff::ZonedDateTime;
use std::ffi::OsString;

flags! {
    /// The flags of `cronexpr`.
    pub(crate) struct Args {
        /// How many times to print
        "num" num: u64 = 10;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "cronexpr",
    face: Face::Reference,
    about: "show when a cron expression is due",
    usage: &["[-num N] CRON-EXPRESSION"],
    operands: Operands::these("[CRON-EXPRESSION...]"),
    notes: "Fields are those of the local time zone ([second] minute hour day month weekday [year]);\n\
        what is printed is UTC.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let words: Vec<_> = operands.iter().map(|word| word.to_string_lossy()).collect();
    let schedule: Schedule = words.join(" ").parse()?;
    let now = ZonedDateTime::now();
    let mut text = format!("Now:\t{}\n", now.timestamp());
    let count = usize::try_from(args.num).unwrap_or(usize::MAX);
    for (n, time) in schedule.upcoming(&now).take(count).enumerate() {
        text.push_str(&format!("{n}:\t{}\n", time.timestamp()));
    }
    stdio::output(text.as_bytes())?;
    Ok(Exit::Done)
}
