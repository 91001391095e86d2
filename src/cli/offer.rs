//! `packmule offer`: send packets again that were handed over and are not proven to be done.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::Common;
use super::{followed, session, stdio};
use std::ffi::OsString;

flags! {
    /// The flags of `offer`.
    pub(crate) struct Args {
        use common: Common;
        /// All packets that are on their way to that node
        "all" all: Names;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "offer",
    face: Face::Own,
    about: "send packets again that are not proven to be done",
    usage: &["PKT...", "-all NODE"],
    operands: Operands::these("[PKT...]"),
    notes: "Puts the bytes that were kept when the packet was handed over back into the queue, for the\n\
            next medium or call. packmule status -pkt lists the packets. Exit status: 1 also when the\n\
            bytes of a packet are not kept here.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open(&args.common)?;
    let mut missing = false;
    followed::each(&local, args.all.as_deref(), operands, |entry| {
        if !local.ledger.offer_asked(entry)? {
            missing = true;
            stdio::complain(&format!("{}: its bytes are not kept here\n", entry.id()));
        }
        Ok(())
    })?;
    Ok(Exit::failed_if(missing))
}
