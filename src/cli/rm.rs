//! `nncp-rm`: removes packets and stale files from the spool.

use super::command::{Command, Exit, Face, Misuse};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::{Common, Json, Paths, Talk};
use super::{session, stdio};
use crate::local::Local;
use crate::spool::sweep::{Kinds, Manner, Swept};
use anyhow::Context;
use serde_json::json;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Read;
use std::time::Duration;

flags! {
    /// The flags of `rm`.
    pub(crate) struct Args {
        use paths: Paths;
        use talk: Talk;
        use json: Json;
        /// Remove temporary files
        "tmp" tmp: bool;
        /// Remove lock files that no process holds
        "lock" lock: bool;
        /// Process all nodes
        "all" all: bool;
        /// Process only this node
        "node" node: Names;
        /// Process received packets
        "rx" rx: bool;
        /// Process packets to be sent
        "tx" tx: bool;
        /// Remove only hdr/ files
        "hdr" hdr: bool;
        /// Remove only .part files
        "part" part: bool;
        /// Remove only .nock files
        "nock" nock: bool;
        /// Remove only seen/ files
        "seen" seen: bool;
        /// Remove only area/* seen files
        "area" area: bool;
        /// Remove only the packets listed on standard input
        "pkt" pkt: bool;
        /// Remove only packets that are acknowledgements made by toss
        "ack" ack: bool;
        /// Remove only files older than this many (s)econds, (m)inutes, (h)ours or (d)ays
        "older" older: Option<String>;
        /// Print what would be removed, and remove nothing
        "dryrun" dryrun: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "rm",
    face: Face::Reference,
    about: "remove packets and stale files from the spool",
    usage: &[
        "[options] [-older X] -tmp",
        "[options] -lock",
        "[options] [-older X] {-all|-node NODE} {-part|-seen|-nock|-area}",
        "[options] [-older X] {-all|-node NODE} {-rx|-tx} [-hdr]",
        "[options] {-all|-node NODE} -pkt < LIST",
        "[options] {-all|-node NODE} -ack",
    ],
    operands: Operands::NONE
        .instead("rm reads names of packets from standard input; give the neighbour with -node"),
    notes: "LIST holds names of packets, PKT or NODE/PKT, separated by white space.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let common = Common { paths: args.paths.clone(), talk: args.talk.clone(), ..Common::default() };
    let local = session::open(&common)?;
    let manner =
        Manner { older: args.older.as_deref().map(age).transpose()?, dry_run: args.dryrun };
    if args.tmp {
        let swept = local.spool.sweep_tmp(manner).context("Error during walking")?;
        return report(args, &swept);
    }
    if args.lock {
        let swept = local.spool.sweep_locks(manner).context("Error during walking")?;
        return report(args, &swept);
    }
    if !args.all && args.node.as_deref().is_none() {
        let reason = "nothing to remove: give -tmp, -lock, -all or -node NODE";
        return Err(Misuse(reason.into()).into());
    }
    let neighbours = session::chosen(&local, &args.node)?;
    let kinds = kinds(args)?;
    let mut failed = false;
    let mut left = kinds.names.clone().unwrap_or_default();
    for neighbour in neighbours {
        let swept = local.spool.sweep(&neighbour.id, &kinds, manner).context("Can not remove")?;
        let known =
            swept.gone.iter().chain(&swept.held).filter_map(|path| path.file_name()?.to_str());
        known.for_each(|name| {
            left.remove(name);
        });
        failed |= report(args, &swept)? != Exit::Done;
    }
    failed |= !left.is_empty() && is_elsewhere(&local, left);
    Ok(Exit::failed_if(failed))
}

/// Reports where the packets `names`, which `rm` did not find in the requested queues, are. True if
/// another neighbour's directory holds one of them. A packet that the spool does not hold counts
/// as removed.
fn is_elsewhere(local: &Local, mut names: BTreeSet<String>) -> bool {
    let mut elsewhere = false;
    for neighbour in local.node.neighbours.values() {
        for path in local.spool.named(&neighbour.id, &names) {
            elsewhere = true;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let node = &neighbour.name;
            say(&format!("{name} was not removed: it is {}, use -node {node}", path.display()));
            names.remove(&name);
        }
    }
    names.iter().for_each(|name| say(&format!("{name}: the spool has no such packet")));
    elsewhere
}

fn say(text: &str) {
    stdio::complain(&format!("{}\n", crate::display::escape(text)));
}

fn kinds(args: &Args) -> anyhow::Result<Kinds> {
    Ok(Kinds {
        rx: args.rx,
        tx: args.tx,
        hdr: args.hdr,
        part: args.part,
        nock: args.nock,
        seen: args.seen,
        area: args.area,
        ack: args.ack,
        names: args.pkt.then(listed).transpose()?,
    })
}

/// Reads words from standard input. Of each word, keeps the part after its last slash.
fn listed() -> anyhow::Result<BTreeSet<String>> {
    let mut text = Vec::new();
    stdio::stdin()?.read_to_end(&mut text).context("reading the list")?;
    let text = String::from_utf8_lossy(&text);
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    Ok(text.split_whitespace().map(name).filter(|name| !name.is_empty()).collect())
}

/// Parses a duration such as `10m`.
fn age(text: &str) -> anyhow::Result<Duration> {
    let seconds = crate::age::parse(text).context("can not parse -older")?;
    Ok(Duration::from_secs(seconds))
}

/// Prints what was removed. Held locks and files of unknown age exit with 1, because `rm` did not
/// remove them as requested.
fn report(args: &Args, swept: &Swept) -> anyhow::Result<Exit> {
    if let Some(first) = swept.ageless.first() {
        stdio::complain(&format!(
            "{} of {} file(s) have a modification time in the future, so -older kept them: \
                         set the clock of this machine, or remove them without -older\n",
            crate::display::escape(&first.display().to_string()),
            swept.ageless.len()
        ));
    }
    if args.json.json {
        let removed = !args.dryrun;
        let gone = swept.gone.iter().map(|path| (path, removed));
        let lines: String = gone
            .chain(swept.held.iter().chain(&swept.ageless).map(|path| (path, false)))
            .map(|(path, removed)| {
                format!("{}\n", json!({"file": path.to_string_lossy(), "removed": removed}))
            })
            .collect();
        stdio::output(lines.as_bytes())?;
    }
    Ok(Exit::failed_if(!swept.held.is_empty() || !swept.ageless.is_empty()))
}
