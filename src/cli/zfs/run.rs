//! `packmule zfs run`: sends the sets of the configuration.

use super::set::{Set, check_apart, configured};
use super::way::Way;
use super::what::What;
use crate::cli::command::{Command, Exit, Face};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::shared::Common;
use crate::cli::{session, stdio};
use crate::nearest::nearest;
use crate::zfs::send::Source;
use anyhow::{Context, bail};
use std::ffi::OsString;

pub(super) const COMMAND: Command = Command {
    name: "zfs run",
    face: Face::Own,
    about: "send the sets of the configuration",
    usage: &["[options] [SET...]"],
    operands: Operands::these("[SET...]"),
    notes: "The configuration defines sets under a key that the reference ignores:\n\
            \n\
            \x20 packmule: { zfs: { sets: { main: {\n\
            \x20   to: [\"vault\"], datasets: [\"tank/home\"], recursive: true, keep: 7\n\
            \x20 } } } }\n\
            \n\
            Their other keys are the options of zfs send: naming, raw, compressed, large-blocks,\n\
            embedded, zstd, encrypt, handle, host, skip-unchanged, keep-marks, prefix, zfs, nice.\n\
            If a set fails, run continues with the others.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs run`.
    struct Args {
        use common: Common;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let sets = configured(&local.node)?;
    let names: Vec<_> = match operands {
        [] => sets.keys().cloned().collect(),
        names => names.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
    };
    if names.is_empty() {
        bail!("the configuration has no packmule.zfs.sets");
    }
    let mut whole = true;
    for name in names {
        let json = sets.get(&name).with_context(|| {
            let names = nearest(&name, sets.keys().map(String::as_str));
            format!("the configuration has no set {name:?}: {names}")
        })?;
        let set = check_apart(&name, &sets, &local.node)
            .and_then(|()| Set::parse(&name, json, &Way::default()))
            .and_then(|set| set.check(&name, &local.node).map(|()| set));
        match set.and_then(|set| set.send(&name, &local, &What::New(Source::Sent))) {
            Ok(ok) => whole &= ok,
            Err(error) => {
                let text = format!("{name}: {error:#}");
                stdio::complain(&format!("{}\n", crate::display::escape(&text)));
                whole = false;
            }
        }
    }
    Ok(Exit::failed_if(!whole))
}
