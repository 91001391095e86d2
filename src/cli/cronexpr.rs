//! `nncp-cronexpr`: prints the next times of a schedule.

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
        /// Number of times to print
        "num" num: u64 = 10;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "cronexpr",
    face: Face::Reference,
    about: "print the next times of a cron expression",
    usage: &["[-num N] CRON-EXPRESSION"],
    operands: Operands::these("[CRON-EXPRESSION...]"),
    notes: "Fields: [second] minute hour day month weekday [year], in the local time zone.\n\
        The times are printed in UTC.",
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
