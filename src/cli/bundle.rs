//! `nncp-bundle`: writes packets to a stream and reads packets from one.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::nice::Nice;
use super::operands::Operands;
use super::shared::{Common, Json};
use super::{closing, session, stdio};
use crate::config::Neighbour;
use crate::media::bundle::{Bundle, SendError};
use crate::media::{Broken, Options, Report};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::io;

flags! {
    /// The flags of `bundle`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        /// Write packets to standard output
        "tx" tx: bool;
        /// Read packets from standard input
        "rx" rx: bool;
        /// With -tx: remove packets once they are written; with -rx: remove those that the stream holds
        "delete" delete: bool;
        /// With -rx: verify packets against their names (always done), also those in the spool
        "check" check: bool;
        /// With -rx: print what would be stored or removed, and change nothing
        "dryrun" dryrun: bool;
        /// Skip packets above this niceness
        "nice" nice: Nice = Nice::of(Niceness::MAX);
    }
}

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "bundle",
    face: Face::Reference,
    about: "write packets to a stream, or read them from one",
    usage: &[
        "[options] -tx [-delete] NODE [NODE ...] > ...",
        "[options] -rx -delete [-dryrun] [NODE ...] < ...",
        "[options] -rx [-check] [-dryrun] [NODE ...] < ...",
    ],
    operands: Operands::these("[NODE...]"),
    notes: "A bundle is a tar archive of packets. The stream may hold several bundles, with other bytes\n\
            between them. A damaged packet is never stored, even without -check; the exit status is 1.\n\
            With -json, bundle prints a report at the end, even if the stream was cut off: on standard\n\
            output, or with -tx on standard error.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let nice = args.nice.level()?;
    match (args.rx, args.tx) {
        (true, true) => bail!("-rx and -tx can not be set simultaneously"),
        (false, false) => bail!("At least one of -rx and -tx must be specified"),
        _ => {}
    }
    let local = session::open(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let nodes = operands
        .iter()
        .map(|name| local.node.find(&name.to_string_lossy()))
        .collect::<Result<Vec<&Neighbour>, _>>()
        .context("Invalid node specified")?;
    let bundle = Bundle {
        local: &local,
        options: Options { nice, delete: args.delete, nodes: &nodes },
        hdr: !args.check,
        dry_run: args.dryrun,
    };
    let (report, end) = match (args.tx, args.delete) {
        (true, _) => parted(bundle.send(&stdio::stdout()?), ended_by_reader),
        (false, true) => parted(bundle.verify_recording(&stdio::stdin()?), |error| error),
        (false, false) => parted(bundle.receive(stdio::stdin()?), |error| error),
    };
    if end.is_ok() || report != Report::default() {
        closing::note(&args.common.talk, &closing_line(args, &nodes, &report));
    }
    if args.json.json {
        let line = closing::object(&report, None, "busy");
        if args.tx { stdio::complain(&line) } else { stdio::output(line.as_bytes())? }
    }
    end?;
    Ok(Exit::failed_if(!report.is_complete()))
}

/// Separates the report from the error: a run that failed also has a report.
fn parted<E: std::error::Error + Send + Sync>(
    result: Result<Report, Broken<E>>,
    explain: impl FnOnce(E) -> E,
) -> (Report, anyhow::Result<()>) {
    match result {
        Ok(report) => (report, Ok(())),
        Err(Broken { done, cause }) => (done, Err(explain(cause).into())),
    }
}

/// Ends the process if the reader closed the pipe, as every command does.
fn ended_by_reader(error: SendError) -> SendError {
    if let SendError::Write(cause) = &error
        && cause.kind() == io::ErrorKind::BrokenPipe
    {
        stdio::reader_gone();
    }
    error
}

/// The closing line: the result of the transfer, or why nothing was transferred.
fn closing_line(args: &Args, nodes: &[&Neighbour], report: &Report) -> String {
    let Report { packets, removed, skipped, failed, .. } = *report;
    if report.is_nothing() {
        let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        return match (args.tx, names.is_empty()) {
            (true, true) => "the bundle is empty: no NODE was given".into(),
            (true, false) => format!("the bundle is empty: nothing waits for {}", names.join(", ")),
            (false, _) => "no packet found on standard input: it is empty, or not a bundle".into(),
        };
    }
    if packets + failed == 0 && !args.tx {
        return format!("nothing in the bundle to store; {} skipped", closing::packets(skipped));
    }
    let place = match (args.tx, args.dryrun) {
        (true, _) if args.delete => "in the bundle, removed from the spool".into(),
        (true, _) => "in the bundle".into(),
        (false, true) => would_be(packets - removed, removed),
        (false, false) if removed == 0 => format!("in the spool, {}", closing::synced()),
        (false, false) => {
            let taken = packets - removed;
            format!(
                "verified: {removed} removed from the spool, {taken} in it, {}",
                closing::synced()
            )
        }
    };
    closing::line(report, &place)
}

fn would_be(taken: u64, removed: u64) -> String {
    match (taken, removed) {
        (_, 0) => "would be in the spool".into(),
        (0, _) => "would be removed from the spool".into(),
        _ => format!("verified: {removed} would be removed from the spool, {taken} would be in it"),
    }
}
