//! `packmule mtree convert`: a manifest in another dialect or layout.

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
    notes: "MANIFEST is standard input by default. Everything it says is written, unless keywords\n\
            are chosen; what the dialect has no word for is named on standard error. Only of a\n\
            manifest that says that it is whole does the new one say so.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree convert`.
    struct Args {
        use which: Which;
        use how: How;
        /// Entries for one path may differ in type; the last counts (mtree's -M)
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
        "{}: it names nothing: what was to write it has failed",
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
    // Of a manifest that does not say whether it is whole, nobody knows.
    args.how.write_as(&manifest, WriteOptions { whole: trailer == Trailer::Whole, ..options })?;
    Ok(Exit::Done)
}
