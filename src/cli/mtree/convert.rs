//! `packmule mtree convert`: writes a manifest in another dialect or layout.

use super::input;
use super::shared::{How, Which};
use crate::cli::command::{Command, Exit, Face, WrongUsage};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::stdio;
use crate::mtree::{Keywords, Trailer, WriteOptions};
use std::ffi::{OsStr, OsString};

pub(super) const COMMAND: Command = Command {
    name: "mtree convert",
    face: Face::Own,
    about: "write a manifest in another dialect or layout",
    usage: &["[options] [MANIFEST]"],
    operands: Operands::these("[MANIFEST]"),
    notes: "MANIFEST is standard input by default. Writes all keywords, unless keywords are chosen.\n\
        Reports keywords that the dialect lacks on standard error. The new manifest has the line\n\
        that says it is whole only if MANIFEST has it.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree convert`.
    struct Args {
        use which: Which;
        use how: How;
        /// Allow entries for one path that differ in type; the last one counts (mtree's -M)
        "merge" merge: bool;
        /// Print no warnings
        "quiet" quiet: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let path = match operands {
        [] => OsStr::new("-"),
        [path] => path,
        _ => return Err(WrongUsage.into()),
    };
    let keywords = args.which.keywords(WriteOptions::default().keywords)?;
    let options = args.how.options(keywords)?;
    let reading = input::read(path, args.merge, args.quiet, COMMAND.name)?.reading;
    let (manifest, trailer) = (reading.manifest, reading.trailer);
    anyhow::ensure!(
        trailer != Trailer::Broken,
        "{}: not whole, or altered: its trailer differs",
        path.display()
    );
    anyhow::ensure!(
        !manifest.is_empty(),
        "{}: the manifest is empty: the program that should have written it failed",
        path.display()
    );
    let said =
        manifest.ids().fold(Keywords::NONE, |said, id| said.union(manifest.facts(id).keywords()));
    let lost = options.dialect.lost(said.intersection(keywords));
    if !lost.is_empty() && !args.quiet {
        stdio::complain(&format!("not in this dialect: {lost}\n"));
    }
    let absent = args.which.named()?.without(said);
    if !absent.is_empty() && !args.quiet {
        stdio::complain(&format!("not in {}: {absent}\n", path.display()));
    }
    // A manifest without a trailer may be cut off, so the copy must not claim to be whole.
    args.how.write_as(&manifest, WriteOptions { whole: trailer == Trailer::Whole, ..options })?;
    Ok(Exit::Done)
}
