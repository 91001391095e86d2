//! `packmule forget`: drop packets that are not proven to be done.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::Common;
use super::{followed, session, stdio};
use std::ffi::OsString;

flags! {
    /// The flags of `forget`.
    pub(crate) struct Args {
        use common: Common;
        /// All packets that are on their way to that node
        "all" all: Names;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "forget",
    face: Face::Own,
    about: "drop packets that are not proven to be done",
    usage: &["PKT...", "-all NODE"],
    operands: Operands::these("[PKT...]"),
    notes: "Removes the bytes of the packets, and stops following them. If they did not arrive, their data\n\
            are lost, and no status tells so any more. packmule status -pkt lists the packets.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open(&args.common)?;
    let mut forgotten = 0;
    followed::each(&local, args.all.as_deref(), operands, |entry| {
        local.ledger.forget(&entry.to(), &entry.id())?;
        forgotten += 1;
        Ok(())
    })?;
    if !args.common.talk.quiet {
        stdio::complain(&format!("{forgotten} packets are forgotten\n"));
    }
    Ok(Exit::Done)
}
