//! `nncp-xfer`: exchanges packets with a directory on a removable medium.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::{Common, Json};
use super::{closing, session, stdio};
use crate::local::Local;
use crate::media::xfer::{Medium, Shared, Xfer};
use crate::media::{Options, Report};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::path::Path;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "xfer",
    face: Face::Reference,
    about: "exchange packets with a directory on a removable medium",
    usage: &["[options] [-node NODE] [-mkdir] [-keep] [-rx|-tx] DIR"],
    operands: Operands::these("DIR"),
    notes: "Moves packets for this node from DIR to the spool, then packets for other nodes from the\n\
            spool to DIR. Sends only to nodes that have a directory in DIR, unless -mkdir is given.\n\
            DIR should be the mount point of a stick. xfer warns if DIR is on the file system of / or of\n\
            the spool.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-xfer`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        /// Only receive packets
        "rx" rx: bool;
        /// Only send packets
        "tx" tx: bool;
        /// Create the directories of all nodes on the medium
        "mkdir" mkdir: bool;
        /// Fail unless a medium is mounted at DIR: DIR must not be on the file system of / or of the
        /// spool
        "mounted" mounted: bool;
        /// Move packets back to the spool that this node put on the medium for -node, or for a node
        /// that has never written there although another node has
        "takeback" takeback: bool;
        /// Keep the originals of packets that were transferred
        "keep" keep: bool;
        /// Transfer only packets from and to this node
        "node" node: Names;
        /// Skip packets above this niceness
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
    if args.takeback && (args.mkdir || args.keep) {
        bail!("-takeback can not be combined with -mkdir or -keep");
    }
    let local = session::open(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let only = match args.node.as_deref() {
        None => None,
        Some(name) => Some(local.node.find(name).context("Invalid -node specified")?),
    };
    let medium = open(args, &local, Path::new(medium))?;
    let options = Options { nice, delete: !args.keep, nodes: only.as_slice() };
    let xfer = Xfer { local: &local, options, mkdir: args.mkdir, takeback: args.takeback };
    let mut total = Report::default();
    if !args.tx {
        let report = xfer.receive(&medium);
        let report = report.with_context(|| format!("receiving from {}", medium.path().display()));
        total.add(close(args, Direction::Rx, &medium, report?));
        total.add(take_back(args, &xfer, &medium)?);
    }
    if !args.rx {
        let report = xfer.send(&medium);
        for (name, packets) in xfer.waiting_elsewhere(&medium) {
            note(args, &waiting(args, name, packets));
        }
        total.add(close(args, Direction::Tx, &medium, report));
    }
    Ok(Exit::failed_if(!total.is_complete()))
}

/// Opens the medium. Warns or fails if no medium is mounted at `path`.
fn open(args: &Args, local: &Local, path: &Path) -> anyhow::Result<Medium> {
    let shown = path.display();
    if !path.is_dir() {
        bail!("{shown}: no such directory; is the medium mounted?");
    }
    let medium = Medium::open(path).with_context(|| shown.to_string())?;
    let Some(shared) = medium.shared_with(local.spool.root()) else { return Ok(medium) };
    if args.mounted {
        bail!(
            "{shown} is on the file system of {shared}: no medium is mounted there. Mount it first; \
             nothing was transferred"
        );
    }
    note(args, &unmounted(path, shared));
    Ok(medium)
}

fn unmounted(path: &Path, shared: Shared) -> String {
    let shown = path.display();
    format!(
        "warning: {shown} is on the file system of {shared}: is the stick mounted? Packets put \
         there stay on this computer, and a stick that is mounted there later hides them. Mount it \
         first; -mounted makes this an error"
    )
}

/// Moves stranded packets back to the spool with `-takeback`; otherwise reports them.
fn take_back(args: &Args, xfer: &Xfer<'_>, medium: &Medium) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let stranded = xfer.stranded(medium);
    let shown = medium.path().display();
    for (to, packets) in stranded.with_context(|| format!("reading {shown}"))? {
        if args.takeback {
            let back = xfer.take_back(medium, to);
            report.add(back.with_context(|| format!("taking back packets for {}", to.name))?);
        } else if args.node.as_deref().is_none() {
            note(args, &came_back(&to.name, packets));
        }
    }
    if args.takeback {
        close(args, Direction::Back, medium, report);
    }
    Ok(report)
}

fn came_back(name: &str, packets: usize) -> String {
    let packets = closing::packets(packets as u64);
    format!(
        "{packets} that this node put there for {name} came back, and {name} has never written to \
         this stick: -takeback moves them to the spool"
    )
}

fn waiting(args: &Args, name: &str, packets: usize) -> String {
    let (packets, wait) =
        (closing::packets(packets as u64), if packets == 1 { "waits" } else { "wait" });
    if args.takeback {
        return format!(
            "{packets} {wait} for {name}, which has no directory here or never wrote to it"
        );
    }
    format!("{packets} {wait} for {name}, which has no directory here: -mkdir")
}

/// The direction of a transfer.
#[derive(Debug, Clone, Copy)]
enum Direction {
    Rx,
    Tx,
    Back,
}

/// Prints the closing line and, with `-json`, the report of one direction. Returns the report.
fn close(args: &Args, direction: Direction, medium: &Medium, report: Report) -> Report {
    let shown = medium.path().display();
    let synced = closing::synced();
    let line = |place: String| closing::line(&report, &place);
    note(
        args,
        &match (direction, report.is_nothing()) {
            (Direction::Rx, true) => format!("{shown} holds nothing for this node"),
            (Direction::Rx, false) => line(format!("in the spool, {synced}")),
            (Direction::Tx, true) => {
                format!("nothing waits for a node that has a directory in {shown}")
            }
            (Direction::Tx, false) => line(format!("on the stick, {synced}: {shown}")),
            (Direction::Back, true) => format!("{shown} holds nothing to take back"),
            (Direction::Back, false) => line(format!("back in the spool, {synced}")),
        },
    );
    if args.json.json {
        let name = match direction {
            Direction::Rx => "rx",
            Direction::Tx => "tx",
            Direction::Back => "takeback",
        };
        stdio::print(&closing::object(&report, Some(("direction", name)), "removed"));
    }
    report
}

fn note(args: &Args, text: &str) {
    closing::note(&args.common.talk, text);
}
