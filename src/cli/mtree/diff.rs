//! `packmule mtree diff`: compares two manifests without a tree.

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
    notes: "Compares the keywords that both manifests have for an object. Reports keywords that only one\n\
        of them has on standard error. Files without a common digest may differ in content: diff\n\
        reports them, and exits with 1 if -strict is given.\n\
        Exit status: 0 equal, 2 something differs, 1 not everything could be compared.",
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
