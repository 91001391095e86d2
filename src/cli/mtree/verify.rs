//! `packmule mtree verify`: a tree held against its manifest.

use super::input::Input;
use super::shared::{Comparing, Scope, progress, report, tell_unused};
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
    notes: "DIR is the current directory by default. Everything that MANIFEST says is compared;\n\
            nothing outside DIR is opened and no link followed. MANIFEST itself is not extra.\n\
            Files without a digest in MANIFEST may differ in content: that is said, and with -strict\n\
            the exit status is 1.\n\
            Without -strict, times agree when one of both is in whole seconds and those agree.\n\
            Exit status: 0 equal, 2 something differs (also when it is only missing or only extra),\n\
            1 not all could be checked.",
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
        tell_unused(&options.excludes);
        if exit == Exit::Different && reading.maybe_flat {
            stdio::complain(FLAT);
        }
    }
    Ok(exit)
}

/// What casync and go-mtree write has no sign that tells it from what mtree writes, if there is no
/// directory with anything in it.
const FLAT: &str = "hint: the manifest was read as names in directories that come before them; if all \
                    its names are in the root, put ./ in front of each\n";
