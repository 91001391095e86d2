//! `nncp-toss`: processes received packets.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::kinds::{KindFlags, OfToss};
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::{Common, Json};
use super::{environment, session, stdio};
use crate::config::Neighbour;
use crate::handler::{Search, Unusable, unusable};
use crate::toss::{Options, Report, Toss};
use anyhow::bail;
use packmule_protocol::niceness::Niceness;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "toss",
    face: Face::Reference,
    about: "process received packets",
    usage: &["[options]"],
    operands: Operands::NONE,
    notes: "Stores files, answers requests, runs commands and relays packets. Reports each packet that\n\
            fails and keeps it; the exit status is then 1.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-toss`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        use leave: KindFlags<OfToss>;
        /// Process only packets from this node
        "node" node: Names;
        /// Skip packets above this niceness
        "nice" nice: Nice = Nice::of(Niceness::MAX);
        /// Report what toss would do, and do nothing
        "dryrun" dryrun: bool;
        /// Leave an empty file in seen/ for every packet, which prevents it from being received again
        "seen" seen: bool;
        /// Run forever: look for new packets every N seconds
        "cycle" cycle: u64;
        /// Acknowledge each packet once it has been processed
        "gen-ack" gen_ack: bool;
    }
}

fn run(args: &Args, _: &[OsString]) -> anyhow::Result<Exit> {
    let nice = args.nice.level()?;
    let local = session::open_with_keys(&args.common)?;
    for Unusable { at, reason } in unusable(&local.node).filter(|_| !args.common.talk.quiet) {
        stdio::complain(&format!(
            "warning: {}\n",
            crate::display::escape(&format!("{at}: {reason}"))
        ));
    }
    let neighbours = session::chosen(&local, &args.node)?;
    let options = Options {
        nice,
        dry_run: args.dryrun,
        seen: args.seen,
        acknowledge: args.gen_ack,
        skip: args.leave.kinds(),
        search: Search::new(&environment::path()),
        ..Options::default()
    };
    raise_on_signals(&options.stop)?;
    let toss = Toss { local: &local, options: &options };
    let mut total = Report::default();
    let each = |neighbour: &Neighbour, report: Report| {
        total.add(report);
        if args.json.json {
            stdio::print(&line(neighbour, report));
        }
    };
    match args.cycle {
        0 => toss.run_all(&neighbours, each),
        seconds => {
            toss.cycle(&neighbours, Duration::from_secs(seconds), each);
            // A signal is how a user ends `-cycle`, so it is no failure.
            return Ok(Exit::Done);
        }
    }
    if total.left > 0 {
        bail!("ended by a signal: {} packets are left for the next toss", total.left);
    }
    Ok(Exit::failed_if(total.failed > 0 || total.busy))
}

/// On the first SIGINT or SIGTERM, toss ends after the current packet: interrupting its handler would
/// run it a second time. The second signal ends the process at once.
fn raise_on_signals(stop: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Ok(())
}

fn line(neighbour: &Neighbour, report: Report) -> String {
    let Report { done, skipped, deferred, failed, left, busy, .. } = report;
    let object = json!({
        "node": neighbour.name,
        "done": done,
        "skipped": skipped,
        "deferred": deferred,
        "failed": failed,
        "left": left,
        "busy": busy,
    });
    format!("{object}\n")
}
