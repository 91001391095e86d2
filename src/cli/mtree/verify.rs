//! `packmule mtree verify`: compares a tree with its manifest.

use super::input::Input;
use super::shared::{Comparing, Scope, progress, report, report_unused};
use crate::cli::command::{Command, Exit, Face, WrongUsage};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::stdio;
use crate::mtree::{self, VerifyOptions};
use crate::progress::Work;
use anyhow::Context;
use std::ffi::OsString;
use std::path::Path;

pub(super) const COMMAND: Command = Command {
    name: "mtree verify",
    face: Face::Own,
    about: "compare a tree with its manifest",
    usage: &["[options] MANIFEST [DIR]"],
    operands: Operands::these("MANIFEST [DIR]"),
    notes: "DIR is the current directory by default. Compares every keyword of MANIFEST. Opens nothing\n\
        outside DIR and follows no link. Does not report MANIFEST itself as extra.\n\
        Files without a digest in MANIFEST may differ in content: verify reports them, and exits\n\
        with 1 if -strict is given.\n\
        Without -strict, if one of two times is in whole seconds, only the seconds are compared.\n\
        Exit status: 0 equal, 2 something differs, is missing or is extra, 1 not everything could\n\
        be checked.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree verify`.
    struct Args {
        use comparing: Comparing;
        use scope: Scope;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let (manifest, dir) = match operands {
        [manifest] => (manifest, Path::new(".")),
        [manifest, dir] => (manifest, Path::new(dir)),
        _ => return Err(WrongUsage.into()),
    };
    let options = VerifyOptions {
        rules: args.comparing.rules()?,
        one_file_system: args.scope.one_file_system,
        excludes: args.scope.excludes()?,
        own: None,
    };
    args.comparing.format()?;
    let Input { reading, own } = args.comparing.read(manifest, COMMAND.name)?;
    let options = VerifyOptions { own, ..options };
    let name = dir.to_string_lossy();
    let meter = progress(args.comparing.quiet).start(Work::Check, &name, None);
    let found = mtree::verify(&reading.manifest, dir, &options, &meter)
        .with_context(|| format!("opening {name}"))?;
    drop(meter);
    let exit = report(&found, &reading.manifest, &args.comparing)?;
    if !args.comparing.quiet {
        report_unused(&options.excludes);
        if exit == Exit::Different && reading.maybe_flat {
            stdio::complain(FLAT);
        }
    }
    Ok(exit)
}

/// Manifests of casync and go-mtree look like those of mtree if every directory is empty, so the
/// reader may have chosen the wrong layout.
const FLAT: &str = "hint: the manifest was read as names in directories that come before them; if all \
                    its names are in the root, put ./ in front of each\n";
