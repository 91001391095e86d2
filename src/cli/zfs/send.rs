//! `packmule zfs send`: makes snapshots and queues them for neighbours.

use super::set::Set;
use super::way::Way;
use super::what::{What, source};
use crate::cli::command::{Command, Exit, Face};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::session;
use crate::cli::shared::Common;
use crate::zfs::send::Source;
use std::ffi::OsString;

pub(super) const COMMAND: Command = Command {
    name: "zfs send",
    face: Face::Own,
    about: "snapshot datasets and queue the changes for neighbours",
    usage: &["[options] NODE,... DATASET..."],
    operands: Operands::these("NODE,... DATASET..."),
    notes: "The first stream for a NODE is a full one; each later one is an increment from the snapshot\n\
        that was last queued for it. send records that snapshot in bookmarks of the dataset, or in\n\
        held snapshots if zfs has no bookmarks. One zfs send serves all NODEs with the same base.\n\
        send queues a packet only once its stream is complete. If the configuration has the set\n\
        that -set names, options not given here come from that set.\n\
        -from starts a chain from a base that the NODEs already have, for example from syncoid, or\n\
        continues a chain whose marks were lost; resend explains its values. -snapshot sends an\n\
        existing snapshot: from the newest mark before it, or else as a full stream. It makes and\n\
        removes no snapshot, so that a receiver of raw streams can send a backup back.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs send`.
    struct Args {
        use common: Common;
        use way: Way;
        /// Name of the set. Each set has bases of its own
        "set" set: Option<String> = Some("main".into());
        /// Base to send from instead of the mark: guids, last-applied, or nothing
        "from" from: Option<String>;
        /// Send this existing snapshot, and make no new one
        "snapshot" snapshot: Option<String>;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let name = args.set.as_deref().unwrap_or_default();
    let mut set = Set::from_flags(name, &args.way, operands, &local.node)?;
    if args.from.is_some() {
        // A guid belongs to one dataset, as for resend.
        set.way.recursive = args.way.recursive;
    }
    let from = args.from.as_deref().map_or(Ok(Source::Sent), source)?;
    let what = match &args.snapshot {
        None => What::New(from),
        Some(snapshot) => What::Existing(snapshot.trim_start_matches('@').to_owned(), from),
    };
    Ok(Exit::failed_if(!set.send(name, &local, &what)?))
}
