//! `packmule zfs resend`: queues one increment that repairs a broken chain.

use super::set::Set;
use super::way::Way;
use super::what::{What, source};
use crate::cli::command::{Command, Exit, Face, Misuse};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::session;
use crate::cli::shared::Common;
use std::ffi::OsString;

pub(super) const COMMAND: Command = Command {
    name: "zfs resend",
    face: Face::Own,
    about: "queue the newest snapshot again, from an older base",
    usage: &["[options] -from BASE NODE,... DATASET..."],
    operands: Operands::these("NODE,... DATASET..."),
    notes: "If a packet was lost, the increments after it can never be applied. zfs status on the\n\
        receiver prints the command that repairs each dataset. BASE is one of:\n\
        \x20 guids: of the newest snapshot that the receiver has of each DATASET, separated by commas.\n\
        \x20   resend uses the newest one that exists here. With -r, give the guids of children too.\n\
        \x20 last-applied: the newest snapshot that the destination confirmed. Its handler needs\n\
        \x20   --receipt HANDLE; its exec section here needs HANDLE: [\"builtin:zfs-receipt\"].\n\
        \x20 nothing: send a full stream.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs resend`.
    struct Args {
        use common: Common;
        use way: Way;
        /// Name of the set. Each set has bases of its own
        "set" set: Option<String> = Some("main".into());
        /// Base to send from: guids, last-applied, or nothing
        "from" from: Option<String>;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let from = args.from.as_deref().ok_or_else(|| Misuse("-from is missing".into()))?;
    let from = source(from)?;
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let name = args.set.as_deref().unwrap_or_default();
    let mut set = Set::from_flags(name, &args.way, operands, &local.node)?;
    // A guid belongs to one dataset, so the set's `recursive` must not add its children.
    set.way.recursive = args.way.recursive;
    Ok(Exit::failed_if(!set.send(name, &local, &What::Again(from))?))
}
