//! `packmule mtree verify`: a tree held against its manifest.

use super::shared::{Comparison, Scope, progress, report};
use crate::cli::{
    command::{Command, Exit, Face, WrongUsage},
    flag::{Flags, flags},
};
use crate::mtree::{self, VerifyOptions};
use crate::progress::Work;
use anyhow::Context;
use std::{ffi::OsString, path::Path};

pub(super) const COMMAND: Command = Command {
    name: "mtree verify",
    face: Face::Own,
    about: "compare a tree with its manifest",
    usage: &["[options] MANIFEST [DIR]"],
    notes: "DIR is the current directory by default. Everything that MANIFEST says is compared;\n\
            nothing outside DIR is opened and no link followed.\n\
            Without -strict, times agree when one of both is in whole seconds and those agree.\n\
            Exit status: 0 equal, 2 something differs (also when it is only missing or only extra),\n\
            1 not all could be checked.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree verify`.
    struct Args {
        use comparison: Comparison;
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
        rules: args.comparison.rules()?,
        one_file_system: args.scope.one_file_system,
        excludes: args.scope.excludes()?,
    };
    args.comparison.format()?;
    let manifest = args.comparison.read(manifest)?;
    let name = dir.to_string_lossy();
    let meter = progress(args.comparison.quiet).start(Work::Check, &name, None);
    let found = mtree::verify(&manifest, dir, &options, &meter)
        .with_context(|| format!("opening {name}"))?;
    drop(meter);
    report(&found, &manifest, &args.comparison)
}
