//! `nncp-freq`: requests a file from a neighbour.

use super::command::{Command, Exit, Face, Misuse, WrongUsage};
use super::flag::{Flags, flags};
use super::kib::Kib;
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::Common;
use super::{interrupt, lookup, session};
use crate::outbound::FreqOptions;
use anyhow::Context;
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "freq",
    face: Face::Reference,
    about: "request a file from a neighbour",
    usage: &["[options] NODE:SRC [DST]"],
    operands: Operands::these("NODE:SRC [DST]"),
    notes: "Asks NODE to send the file SRC below its freq.path. The file arrives in our incoming\n\
            directory as DST (default: its own name).",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-freq`.
    pub(crate) struct Args {
        use common: Common;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::NORMAL);
        /// Niceness of the packet that brings the file
        "replynice" replynice: Nice = Nice::of(Niceness::BULK);
        /// Minimal required resulting packet size, in KiB
        "minsize" minsize: Kib;
        /// Override Via path to destination node
        "via" via: Names;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let Some(wanted) = operands.first() else { return Err(WrongUsage.into()) };
    let (nice, reply_nice) = (args.nice.level()?, args.replynice.level()?);
    let local = session::open_with_keys(&args.common)?;
    let (name, source) = lookup::split_once(wanted.as_bytes())
        .ok_or_else(|| Misuse(format!("{wanted:?} is not NODE:SRC: it has no colon")))?;
    let name = String::from_utf8_lossy(name);
    let from = local.node.find(&name).context("Invalid NODE specified")?;
    let options = FreqOptions {
        nice,
        reply_nice,
        minimum: args.minsize.bytes(),
        via: lookup::via(&local.node, args.via.as_deref())?,
    };
    let destination = match operands {
        [_, destination] => destination.as_bytes(),
        _ => b"",
    };
    interrupt::complete_on_signals(|| local.freq(from, source, destination, &options))??;
    Ok(Exit::Done)
}
