//! `packmule zfs resend`: one increment that repairs a broken chain.

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
    notes: "When a packet was lost, what came after it waits for ever. zfs status at the receiver\n\
            tells the command that repairs each dataset. BASE is the guid of the newest snapshot that\n\
            the receiver has of the DATASET, or several with commas, of which the newest that is here\n\
            is taken (children have others, so with -r name theirs, too),\n\
            last-applied for the newest snapshot that the destination confirmed (its handler has\n\
            --receipt HANDLE, and here its exec section has HANDLE: [\"builtin:zfs-receipt\"]), or\n\
            nothing for a full stream.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs resend`.
    struct Args {
        use common: Common;
        use way: Way;
        /// Set: what is sent together and does not share its bases with other sets
        "set" set: Option<String> = Some("main".into());
        /// What to send from: guids, last-applied, or nothing
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
    // One guid is one dataset's: children are sent again only where that is asked for.
    set.way.recursive = args.way.recursive;
    Ok(Exit::failed_if(!set.send(name, &local, &What::Again(from))?))
}
