//! `packmule mtree create`: makes a manifest of a tree.

use super::input::destinations;
use super::shared::{How, Scope, Which, progress, report_unread, report_unused, warn_unavailable};
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
    notes: "DIR is the current directory by default. Reports objects that cannot be read on standard\n\
        error, continues, and exits with 1. Skips the file to which it writes the manifest. Opens no\n\
        file if no keyword is a digest.",
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
    warn_unavailable(args.which.named()?.unknowable(), "objects of this system do not have it");
    let meter = progress(args.quiet).start(Work::Hash, &dir.to_string_lossy(), None);
    let created = mtree::create(dir, &options, &meter)
        .with_context(|| format!("opening {}", dir.display()))?;
    drop(meter);
    args.how.write(&created.manifest, mtree::WriteOptions::default().keywords)?;
    if !args.quiet {
        report_unused(&options.excludes);
    }
    Ok(Exit::failed_if(report_unread(&created.troubles)))
}
