//! `nncp-xfer`: exchange packets with a directory on a removable medium.

use super::{
    command::{Command, Exit, Face, WrongUsage},
    flag::{Flags, Names, Nice, flags},
    session::Session,
    shared::{Common, Json},
    stdio,
};
use crate::media::xfer::{Options, Report, Xfer};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use serde_json::json;
use std::{ffi::OsString, path::Path};

/// The row of the table.
pub const COMMAND: Command = Command {
    name: "xfer",
    face: Face::Reference,
    about: "copy inbound and outbound packets",
    usage: &["[options] [-node NODE] [-mkdir] [-keep] [-rx|-tx] DIR"],
    notes: "Takes packets for this node from DIR, then puts there what waits for others. Only nodes\n\
            that have a directory in DIR get any, unless -mkdir is given.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-xfer`.
    pub struct Args {
        use common: Common;
        use json: Json;
        /// Only receive packets
        "rx" rx: bool;
        /// Only send packets
        "tx" tx: bool;
        /// Create the directories of all nodes on the medium
        "mkdir" mkdir: bool;
        /// Do not remove what was transferred
        "keep" keep: bool;
        /// Transfer only packets from and to that node
        "node" node: Names;
        /// Leave packets less urgent than that
        "nice" nice: Nice = Nice::of(Niceness::MAX);
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [medium] = operands else { return Err(WrongUsage.into()) };
    let medium = Path::new(medium);
    let nice = args.nice.level()?;
    if args.rx && args.tx {
        bail!("-rx and -tx can not be set simultaneously");
    }
    let session = Session::open(&args.common)?;
    if !medium.is_dir() {
        bail!("{}: no such directory; is the medium mounted?", medium.display());
    }
    let only = match args.node.as_deref() {
        None => None,
        Some(name) => Some(session.node.find(name).context("Invalid -node specified")?),
    };
    let Session { node, spool, log, progress } = &session;
    let options = Options { nice, keep: args.keep, mkdir: args.mkdir, only };
    let xfer = Xfer { node, spool, log, progress, options };
    let mut total = Report::default();
    if !args.tx {
        let report = xfer.receive(medium);
        let report = report.with_context(|| format!("receiving from {}", medium.display()))?;
        tell(args, "rx", report);
        total.add(report);
    }
    if !args.rx {
        let report = xfer.send(medium);
        tell(args, "tx", report);
        total.add(report);
    }
    Ok(Exit::failed_if(total.failed > 0 || total.busy > 0))
}

fn tell(args: &Args, direction: &str, report: Report) {
    if args.json.json {
        let Report { packets, bytes, skipped, failed, busy } = report;
        let object = json!({
            "direction": direction,
            "packets": packets,
            "bytes": bytes,
            "skipped": skipped,
            "failed": failed,
            "busy": busy,
        });
        stdio::print(&format!("{object}\n"));
    }
}
