//! `nncp-file`: queues a file, a directory or standard input for a neighbour.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::kib::{Kib, KibOrConfigured};
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::Common;
use super::{interrupt, lookup, producer, session, stdio};
use crate::outbound::{FileOptions, QueueError, Source};
use anyhow::Context;
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "file",
    face: Face::Reference,
    about: "send a file",
    usage: &["[options] SRC NODE:[DST]", "[options] SRC area:AREA:[DST]"],
    operands: Operands::these("SRC NODE:[DST]").or_program(),
    notes: "If SRC is a directory, it is sent as a tar archive. If SRC is -, standard input is sent and\n\
            DST is required. -minsize and -chunked default to the node's freq.minsize and\n\
            freq.chunked; 0 turns them off.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-file`.
    pub(crate) struct Args {
        use common: Common;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::BULK);
        /// Minimal required resulting packet size, in KiB; if negative, the node's freq.minsize
        "minsize" minsize: KibOrConfigured;
        /// Maximal allowable resulting packets size, in KiB
        "maxsize" maxsize: Kib;
        /// Split file on specified size chunks, in KiB; if negative, the node's freq.chunked
        "chunked" chunked: KibOrConfigured;
        /// Override Via path to destination node
        "via" via: Names;
        /// Send the output of a program: NODE:DST -- PROGRAM [ARG...]. The packet is queued only if
        /// PROGRAM exits with status 0
        own "command" command: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let (operands, program) = match args.command {
        true => producer::split(operands)?,
        false => (operands, &[][..]),
    };
    let (source, target) = match operands {
        [target] if args.command => (None, target),
        [source, target] if !args.command => (Some(source), target),
        _ => return Err(WrongUsage.into()),
    };
    let nice = args.nice.level()?;
    let local = session::open_with_keys(&args.common)?;
    let (to, destination) = lookup::split_target(target)?;
    let to = lookup::destination(&local.node, to)?;
    let via = lookup::via(&local.node, args.via.as_deref())?;
    let options = FileOptions {
        nice,
        minimum: args.minsize.bytes(),
        maximum: args.maxsize.limit(),
        chunked: args.chunked.bytes(),
        via,
    };
    if destination.is_empty() && source.is_none_or(|source| source == "-") {
        return Err(QueueError::NoName.into());
    }
    interrupt::clean_up_on_signals()?;
    match source {
        None => {
            let producer = producer::start(program)?;
            let shown = producer.shown().to_owned();
            local.file(to, Source::stream(producer), shown.as_bytes(), destination, options)?;
        }
        Some(source) => {
            let content = match source == "-" {
                true => Source::stream(stdio::stdin().context("standard input")?),
                false => Source::open(Path::new(source))?,
            };
            local.file(to, content, source.as_bytes(), destination, options)?;
        }
    }
    Ok(Exit::Done)
}
