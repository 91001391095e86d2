//! `nncp-xfer`: exchange packets with a directory on a removable medium.

use super::{
    closing::{self, Sum},
    command::{Command, Exit, Face, WrongUsage},
    flag::{Flags, Names, Nice, flags},
    session::Session,
    shared::{Common, Json},
    stdio,
};
use crate::cli::operands::Operands;
use crate::{
    media::xfer::{Medium, Options, Report, Shared, Xfer},
    spool::Xx,
};
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
    operands: Operands::these("DIR"),
    notes: "Takes packets for this node from DIR, then puts there what waits for others. Only nodes\n\
            that have a directory in DIR get any, unless -mkdir is given. DIR should be where a stick\n\
            is mounted: a warning says when it lies on the file system of / or of the spool.",
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
        /// Do nothing unless a medium is mounted at DIR: it may not lie on the file system of / or of
        /// the spool
        "mounted" mounted: bool;
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
    crate::cli::interrupt::clean_up_on_signals()?;
    let only = match args.node.as_deref() {
        None => None,
        Some(name) => Some(session.node.find(name).context("Invalid -node specified")?),
    };
    let medium = open(args, &session, Path::new(medium))?;
    let Session { node, spool, log, progress } = &session;
    let options = Options { nice, keep: args.keep, mkdir: args.mkdir, only };
    let xfer = Xfer { node, spool, log, progress, options };
    let mut total = Report::default();
    if !args.tx {
        let report = xfer.receive(&medium);
        let report = report.with_context(|| format!("receiving from {}", medium.path().display()));
        total.add(tell(args, Xx::Rx, &medium, report?));
    }
    if !args.rx {
        let report = xfer.send(&medium);
        for (name, packets) in xfer.waiting_elsewhere(&medium) {
            note(args, &waiting(name, packets));
        }
        total.add(tell(args, Xx::Tx, &medium, report));
    }
    Ok(Exit::failed_if(total.failed > 0 || total.busy > 0))
}

/// Opens the medium, or what takes its place when none is mounted.
fn open(args: &Args, session: &Session, path: &Path) -> anyhow::Result<Medium> {
    let shown = path.display();
    if !path.is_dir() {
        bail!("{shown}: no such directory; is the medium mounted?");
    }
    let medium = Medium::open(path).with_context(|| shown.to_string())?;
    let Some(shared) = medium.shared_with(session.spool.root()) else { return Ok(medium) };
    if args.mounted {
        bail!(
            "{shown} lies on the file system of {shared}: no medium is mounted there. Mount it first; \
             nothing was transferred"
        );
    }
    note(args, &unmounted(path, shared));
    Ok(medium)
}

fn unmounted(path: &Path, shared: Shared) -> String {
    let shown = path.display();
    format!(
        "warning: {shown} lies on the file system of {shared}: is the stick mounted? What is put \
         there stays on this computer, and a stick that is mounted there later hides it. Mount it \
         first; -mounted makes this an error"
    )
}

fn waiting(name: &str, packets: usize) -> String {
    let (packets, wait) =
        (closing::packets(packets as u64), if packets == 1 { "waits" } else { "wait" });
    format!("{packets} {wait} for {name}, which has no directory here: -mkdir")
}

/// Says what is where now.
fn tell(args: &Args, direction: Xx, medium: &Medium, report: Report) -> Report {
    let Report { packets, bytes, there, skipped, failed, busy } = report;
    let sum = Sum { packets, bytes, there, skipped, failed, busy };
    let shown = medium.path().display();
    note(
        args,
        &match direction {
            Xx::Rx if sum.is_nothing() => format!("{shown} holds nothing for this node"),
            Xx::Tx if sum.is_nothing() => {
                format!("nothing waits for a node that has a directory in {shown}")
            }
            Xx::Rx => sum.line(&format!("in the spool, {}", closing::synced())),
            Xx::Tx => sum.line(&format!("on the stick, {}: {shown}", closing::synced())),
        },
    );
    if args.json.json {
        let object = json!({
            "direction": direction.to_string(),
            "packets": packets,
            "bytes": bytes,
            "there": there,
            "skipped": skipped,
            "failed": failed,
            "busy": busy,
        });
        stdio::print(&format!("{object}\n"));
    }
    report
}

fn note(args: &Args, text: &str) {
    closing::note(&args.common.talk, text);
}
