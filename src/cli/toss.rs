//! `nncp-toss`: act on received packets.

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
    about: "process inbound packets",
    usage: &["[options]"],
    operands: Operands::NONE,
    notes: "Stores files, answers requests, runs commands, passes packets on. A packet that fails is\n\
            named and kept, and makes the exit status 1.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-toss`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        use leave: KindFlags<OfToss>;
        /// Process only packets from that node
        "node" node: Names;
        /// Leave packets less urgent than that
        "nice" nice: Nice = Nice::of(Niceness::MAX);
        /// Report what would be done, and do nothing
        "dryrun" dryrun: bool;
        /// Leave an empty file in seen/ for every packet, so that it is not received again
        "seen" seen: bool;
        /// Go on for ever, looking for new packets every N seconds
        "cycle" cycle: u64;
        /// Acknowledge every packet after its effect
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
            // It was asked to end, whatever it met until then.
            return Ok(Exit::Done);
        }
    }
    if total.left > 0 {
        bail!("ended by a signal: {} packets are left for the next toss", total.left);
    }
    Ok(Exit::failed_if(total.failed > 0 || total.busy))
}

/// The first SIGINT or SIGTERM asks for an end after the packet at hand: its handler runs, and would
/// run again. The second ends the program.
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
