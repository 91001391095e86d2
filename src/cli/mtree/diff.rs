//! `packmule mtree diff`: two manifests compared, with no tree at hand.

use super::shared::{Comparing, report};
use crate::cli::command::{Command, Exit, Face, WrongUsage};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::mtree;
use std::ffi::OsString;

pub(super) const COMMAND: Command = Command {
    name: "mtree diff",
    face: Face::Own,
    about: "compare two manifests",
    usage: &["[options] OLD NEW"],
    operands: Operands::these("OLD NEW"),
    notes: "What both say of an object is compared; what only one of them says is named on standard\n\
            error. Files of which they have no digest in common may differ in content: that is said,\n\
            and with -strict the exit status is 1.\n\
            Exit status: 0 equal, 2 something differs, 1 not all could be compared.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree diff`.
    struct Args {
        use comparing: Comparing;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [old, new] = operands else { return Err(WrongUsage.into()) };
    let rules = args.comparing.rules()?;
    let read = |path| args.comparing.read(path, COMMAND.name);
    let (old, new) = (read(old)?.reading.manifest, read(new)?.reading.manifest);
    report(&mtree::diff(&old, &new, &rules), &old, &args.comparing)
}
