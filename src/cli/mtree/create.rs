//! `packmule mtree create`: a manifest of a tree.

use super::input::destinations;
use super::shared::{How, Scope, Which, progress, tell, tell_unused, warn_unavailable};
use crate::cli::command::{Command, Exit, Face, WrongUsage};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::mtree::{self, CreateOptions, Keywords};
use crate::progress::Work;
use anyhow::Context;
use std::ffi::OsString;
use std::path::Path;

pub(super) const COMMAND: Command = Command {
    name: "mtree create",
    face: Face::Own,
    about: "make a manifest of a tree",
    usage: &["[options] [DIR]"],
    operands: Operands::these("[DIR]"),
    notes: "DIR is the current directory by default. What can not be read is named on standard\n\
            error, the rest is still done, and the exit status is 1. The file that the manifest goes\n\
            to is left out. Without digests among the\n\
            keywords no file is opened.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree create`.
    struct Args {
        use which: Which;
        use scope: Scope;
        use how: How;
        /// Show no progress
        "quiet" quiet: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let dir = match operands {
        [] => Path::new("."),
        [dir] => Path::new(dir),
        _ => return Err(WrongUsage.into()),
    };
    let options = CreateOptions {
        keywords: args.which.keywords(Keywords::DEFAULT)?,
        one_file_system: args.scope.one_file_system,
        excludes: args.scope.excludes()?,
        own: destinations(args.how.output.as_deref()),
    };
    args.how.options(options.keywords)?;
    warn_unavailable(args.which.named()?.unknowable(), "no object of this system has it");
    let meter = progress(args.quiet).start(Work::Hash, &dir.to_string_lossy(), None);
    let created = mtree::create(dir, &options, &meter)
        .with_context(|| format!("opening {}", dir.display()))?;
    drop(meter);
    args.how.write(&created.manifest, mtree::WriteOptions::default().keywords)?;
    if !args.quiet {
        tell_unused(&options.excludes);
    }
    Ok(Exit::failed_if(tell(&created.troubles)))
}
