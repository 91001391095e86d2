//! `nncp-bundle`: packets to and from a stream.

use super::{
    command::{Command, Exit, Face},
    flag::{Flags, Nice, flags},
    session::Session,
    shared::{Common, Json},
    stdio,
};
use crate::config::Neighbour;
use crate::media::bundle::{Broken, Bundle, Options, Report, SendError};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use serde_json::json;
use std::{ffi::OsString, io};

flags! {
    /// The flags of `bundle`.
    pub struct Args {
        use common: Common;
        use json: Json;
        /// Write packets to standard output
        "tx" tx: bool;
        /// Take packets from standard input
        "rx" rx: bool;
        /// With -tx: remove what was written; with -rx: remove own packets that are in the stream
        "delete" delete: bool;
        /// With -rx: verify packets against their names; always done
        "check" check: bool;
        /// With -rx: only say what would be taken or removed
        "dryrun" dryrun: bool;
        /// Pass over packets above this niceness
        "nice" nice: Nice = Nice::of(Niceness::MAX);
    }
}

/// The row of the table.
pub const COMMAND: Command = Command {
    name: "bundle",
    face: Face::Reference,
    about: "write packets to a stream, or take them from one",
    usage: &[
        "[options] -tx [-delete] NODE [NODE ...] > ...",
        "[options] -rx -delete [-dryrun] [NODE ...] < ...",
        "[options] -rx [-check] [-dryrun] [NODE ...] < ...",
    ],
    notes: "A bundle is a tar of packets. Several may follow each other with anything between them.\n\
            A damaged packet is not taken, not even without -check, and makes the exit status 1.\n\
            With -json a report follows on standard output, with -tx on standard error; also when the\n\
            stream broke off.",
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
    let session = Session::open(&args.common)?;
    let nodes = operands
        .iter()
        .map(|name| session.node.find(&name.to_string_lossy()))
        .collect::<Result<Vec<&Neighbour>, _>>()
        .context("Invalid node specified")?;
    let bundle = Bundle {
        node: &session.node,
        spool: &session.spool,
        log: &session.log,
        progress: &session.progress,
        options: Options {
            nice,
            delete: args.delete,
            hdr: !args.check,
            dry_run: args.dryrun,
            nodes: &nodes,
        },
    };
    let (report, end) = match (args.tx, args.delete) {
        (true, _) => parted(bundle.send(&stdio::stdout()?), ended_by_reader),
        (false, true) => parted(bundle.verify_recording(&stdio::stdin()?), |error| error),
        (false, false) => parted(bundle.receive(stdio::stdin()?), |error| error),
    };
    if args.json.json {
        let line = in_json(&report);
        if args.tx { stdio::complain(&line) } else { stdio::output(line.as_bytes())? }
    }
    end?;
    Ok(Exit::failed_if(report.failed > 0))
}

/// What was done, whether or not all of it was, and why not.
fn parted<E: std::error::Error + Send + Sync>(
    result: Result<Report, Broken<E>>,
    told: impl FnOnce(E) -> E,
) -> (Report, anyhow::Result<()>) {
    match result {
        Ok(report) => (report, Ok(())),
        Err(Broken { done, cause }) => (done, Err(told(cause).into())),
    }
}

/// A reader that went away ends the command as it ends every other.
fn ended_by_reader(error: SendError) -> SendError {
    if let SendError::Write(cause) = &error
        && cause.kind() == io::ErrorKind::BrokenPipe
    {
        stdio::reader_gone();
    }
    error
}

fn in_json(report: &Report) -> String {
    let Report { packets, bytes, skipped, failed } = report;
    let object = json!({
        "packets": packets,
        "bytes": bytes,
        "skipped": skipped,
        "failed": failed,
    });
    format!("{object}\n")
}
