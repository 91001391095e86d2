//! `nncp-trns`: wraps an existing encrypted packet for a relay.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::Common;
use super::{lookup, session};
use crate::disk;
use crate::local::Local;
use crate::spool::Xx;
use anyhow::{Context, anyhow, bail};
use packmule_protocol::niceness::Niceness;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "trns",
    face: Face::Reference,
    about: "send an existing encrypted packet through relays",
    usage: &["[options] -via NODE[,...] NODE:PKT", "[options] -via NODE[,...] /path/to/PKT"],
    operands: Operands::these("NODE:PKT"),
    notes: "The packet is a file, or is queued for NODE in the spool. trns does not remove it.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-trns`.
    pub(crate) struct Args {
        use common: Common;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::BULK);
        /// Relays to the packet's recipient
        "via" via: Names;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [packet] = operands else { return Err(WrongUsage.into()) };
    let nice = args.nice.level()?;
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let file = open(&local, packet)?;
    let via = lookup::via(&local.node, args.via.as_deref())?;
    local.trns(file, nice, &via)?;
    Ok(Exit::Done)
}

/// An existing file, else `NODE:PKT`.
fn open(local: &Local, packet: &OsStr) -> anyhow::Result<File> {
    let path = Path::new(packet);
    if path.exists() {
        return Ok(disk::open_regular_path(path)?.0);
    }
    let parts: Vec<_> = packet.to_str().unwrap_or_default().split(':').collect();
    let [name, hash] = parts[..] else { bail!("Invalid NODE:PKT specification") };
    let node = local.node.find(name).context("Invalid NODE specified")?;
    let hash = lookup::packet(hash)?;
    let job = local.spool.job(&node.id, Xx::Tx, &hash)?;
    let job = job.ok_or_else(|| anyhow!("no packet {hash} is queued for {name}"))?;
    Ok(job.open()?)
}
