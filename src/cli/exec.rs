//! `nncp-exec`: queues a command for a neighbour, with our standard input as its input.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::kib::Kib;
use super::lookup::{self, Name};
use super::names::Names;
use super::nice::Nice;
use super::operands::Operands;
use super::shared::{Common, Followed};
use super::{interrupt, producer, session, stdio};
use crate::outbound::ExecOptions;
use anyhow::Context;
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "exec",
    face: Face::Reference,
    about: "send a command for execution",
    usage: &["[options] NODE HANDLE [ARG0 ARG1 ...]", "[options] area:AREA HANDLE [ARG0 ARG1 ...]"],
    operands: Operands::these("NODE HANDLE [ARG...]").or_program(),
    notes: "Sends standard input along, compressed. NODE runs the command that its configuration names\n\
            for HANDLE, and appends the arguments to the configured ones.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-exec`.
    pub(crate) struct Args {
        use common: Common;
        use followed: Followed;
        /// Do not compress input
        "nocompress" nocompress: bool;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::PRIORITY);
        /// Niceness of a reply packet
        "replynice" replynice: Nice = Nice::of(Niceness::BULK);
        /// Minimal required resulting packet size, in KiB
        "minsize" minsize: Kib;
        /// Maximal allowable resulting packet size, in KiB
        "maxsize" maxsize: Kib;
        /// Override Via path to destination node
        "via" via: Names;
        /// Send the output of a program instead of standard input: NODE HANDLE [ARG...] -- PROGRAM
        /// [ARG...]. The packet is queued only if PROGRAM exits with status 0
        own "command" command: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let (operands, program) = match args.command {
        true => producer::split(operands)?,
        false => (operands, &[][..]),
    };
    let [to, command @ ..] = operands else { return Err(WrongUsage.into()) };
    if command.is_empty() {
        return Err(WrongUsage.into());
    }
    let (nice, reply_nice) = (args.nice.level()?, args.replynice.level()?);
    let local = session::open_with_keys(&args.common)?;
    let to = to.to_string_lossy();
    let to = to.strip_prefix("area:").map_or(Name::Node(&to), Name::Area);
    let to = lookup::destination(&local.node, to)?;
    let options = ExecOptions {
        nice,
        reply_nice,
        uncompressed: args.nocompress,
        minimum: args.minsize.bytes(),
        maximum: args.maxsize.limit(),
        via: lookup::via(&local.node, args.via.as_deref())?,
        backup: args.followed.backup.clone(),
        follow: args.followed.follow,
    };
    let command: Vec<_> = command.iter().map(|word| word.as_bytes().to_vec()).collect();
    interrupt::clean_up_on_signals()?;
    match args.command {
        true => local.exec(to, &command, producer::start(program)?, &options)?,
        false => {
            let input = stdio::stdin().context("standard input")?;
            local.exec(to, &command, input, &options)?;
        }
    }
    Ok(Exit::Done)
}
