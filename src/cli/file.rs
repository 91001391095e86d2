//! `nncp-file`: queues a file, a directory or standard input for a neighbour.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::kib::{Kib, KibOrConfigured};
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::{Common, Followed};
use super::{interrupt, lookup, producer, session, stdio};
use crate::outbound::{FileOptions, QueueError, Source};
use anyhow::Context;
use packmule_protocol::niceness::Niceness;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
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
        use followed: Followed;
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
        backup: args.followed.backup.clone(),
        follow: args.followed.follow,
    };
    if destination.is_empty() && source.is_none_or(|source| source == "-") {
        return Err(QueueError::NoName.into());
    }
    let send = |content, name: &[u8]| local.file(to, content, name, destination, options);
    match source {
        Some(source) if is_small_file(source) => {
            let content = Source::open(Path::new(source))?;
            interrupt::complete_on_signals(|| send(content, source.as_bytes()))??;
        }
        _ => {
            interrupt::clean_up_on_signals()?;
            let (content, name) = content(source, program)?;
            send(content, name.as_bytes())?;
        }
    }
    Ok(Exit::Done)
}

/// The content to send, and its name for messages.
fn content(source: Option<&OsString>, program: &[OsString]) -> anyhow::Result<(Source, OsString)> {
    Ok(match source {
        None => {
            let producer = producer::start(program)?;
            let shown = producer.shown().into();
            (Source::stream(producer), shown)
        }
        Some(source) if source == "-" => {
            (Source::stream(stdio::stdin().context("standard input")?), source.clone())
        }
        Some(source) => (Source::open(Path::new(source))?, source.clone()),
    })
}

/// True if `source` names a regular file of at most 1 MiB, which takes no time to read.
fn is_small_file(source: &OsStr) -> bool {
    let small = |file: Metadata| file.is_file() && file.len() <= 1 << 20;
    source != "-" && std::fs::metadata(source).is_ok_and(small)
}
