//! `nncp-ack`: acknowledge received packets.

use super::command::{Command, Exit, Face, Misuse};
use super::flag::{Flags, flags};
use super::kib::KibOrConfigured;
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::Common;
use super::{lookup, session, stdio};
use crate::config::Neighbour;
use crate::inherited;
use crate::local::Local;
use crate::outbound::{AckOptions, Queued, Via};
use crate::toss::{Options, Toss};
use anyhow::Context;
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::io;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "ack",
    face: Face::Reference,
    about: "send packet receipt acknowledgement",
    usage: &["[options] -all", "[options] -node NODE[,...]", "[options] -node NODE -pkt PKT"],
    operands: Operands::NONE,
    notes: "Writes the name of each new packet, NODE/PKT, to file descriptor 4 if that is open.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-ack`.
    pub(crate) struct Args {
        use common: Common;
        /// Acknowledge the packets received from all nodes
        "all" all: bool;
        /// Acknowledge the packets received from this node, or from several, separated by commas
        "node" node: Names;
        /// Acknowledge this packet, even if the spool does not hold it
        "pkt" pkt: Option<String>;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::NORMAL);
        /// Minimal required resulting packet size, in KiB; if negative, the node's ack.minsize
        "minsize" minsize: KibOrConfigured;
        /// Override Via path to destination node; only with -pkt
        "via" via: Names;
    }
}

/// The file descriptor to which names of new packets are written.
const LIST: u32 = 4;

fn run(args: &Args, _: &[OsString]) -> anyhow::Result<Exit> {
    let list = inherited::descriptor(LIST).ok();
    let nice = args.nice.level()?;
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let named = named(args, &local)?;
    if args.all == args.node.as_deref().is_some() {
        return Err(Misuse("either -all or -node is needed".into()).into());
    }
    let mut options = AckOptions { nice, minimum: args.minsize.bytes(), via: Via::Configured };
    let made = |to: &Neighbour, queued: Queued| {
        let line = format!("{}/{}\n", to.id, queued.packet);
        let written = list.map_or(Ok(()), |list| inherited::write(list, line.as_bytes()));
        match written {
            // The reader of the descriptor may close it early, which is no failure of this command.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                stdio::lost(&io::Error::other(format!("writing descriptor {LIST}: {error}")));
            }
            _ => {}
        }
    };
    if let Some(packet) = packet(args, &named)? {
        options.via = lookup::via(&local.node, args.via.as_deref())?;
        made(named[0], local.ack(named[0], packet, &options)?);
        return Ok(Exit::Done);
    }
    let toss = Toss { local: &local, options: &Options::default() };
    let neighbours = if args.all { local.node.neighbours.values().collect() } else { named };
    let mut unproven = 0;
    for neighbour in neighbours {
        unproven +=
            toss.acknowledge_waiting(neighbour, &options, |queued| made(neighbour, queued))?;
    }
    Ok(Exit::failed_if(unproven > 0))
}

/// The neighbours that `-node` names.
fn named<'a>(args: &Args, local: &'a Local) -> anyhow::Result<Vec<&'a Neighbour>> {
    let names = args.node.as_deref().map(|names| names.split(','));
    let found = names.into_iter().flatten().map(|name| Ok(local.node.find(name)?));
    found.collect::<anyhow::Result<_>>().context("Invalid -node specified")
}

/// The packet that `-pkt` names. It requires exactly one neighbour in `-node`.
fn packet(args: &Args, named: &[&Neighbour]) -> anyhow::Result<Option<PacketHash>> {
    match &args.pkt {
        None => Ok(None),
        Some(_) if named.len() != 1 => {
            Err(Misuse("-pkt needs exactly one -node: the sender of the packet".into()).into())
        }
        Some(text) => Ok(Some(lookup::packet(text)?)),
    }
}
