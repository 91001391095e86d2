//! `packmule zfs send`: snapshots made and queued for neighbours.

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
    about: "snapshot datasets and queue what is new for neighbours",
    usage: &["[options] NODE,... DATASET..."],
    operands: Operands::these("NODE,... DATASET..."),
    notes: "The first stream for a NODE is a full one; then each is an increment from what was last\n\
            queued for it. What was queued is remembered in bookmarks of the dataset, or in held\n\
            snapshots where zfs has no bookmarks. One zfs send feeds all NODEs with the same base,\n\
            and nothing is queued unless its stream was whole. If the configuration has the set that\n\
            -set names, its options are those that no flag here says otherwise.\n\
            -from begins a chain with a base that the NODEs have from elsewhere, as from syncoid, or\n\
            goes on with one whose marks were lost; resend explains its values. -snapshot sends a\n\
            snapshot that exists: from the newest mark before it, else a full stream. It makes and\n\
            removes no snapshot, so a backup can be sent back from where raw streams are received.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs send`.
    struct Args {
        use common: Common;
        use way: Way;
        /// Set: what is sent together and does not share its bases with other sets
        "set" set: Option<String> = Some("main".into());
        /// What to send from instead: guids, last-applied, or nothing
        "from" from: Option<String>;
        /// Send the snapshot of this name, and make none
        "snapshot" snapshot: Option<String>;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let name = args.set.as_deref().unwrap_or_default();
    let mut set = Set::from_flags(name, &args.way, operands, &local.node)?;
    if args.from.is_some() {
        // One guid is one dataset's, as for resend.
        set.way.recursive = args.way.recursive;
    }
    let from = args.from.as_deref().map_or(Ok(Source::Sent), source)?;
    let what = match &args.snapshot {
        None => What::New(from),
        Some(snapshot) => What::Existing(snapshot.trim_start_matches('@').to_owned(), from),
    };
    Ok(Exit::failed_if(!set.send(name, &local, &what)?))
}
