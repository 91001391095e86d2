//! `nncp-cfgmin`: prints the configuration without private keys.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::shared::Config;
use super::{environment, session, stdio};
use crate::config::{hjson, strip};
use crate::log::Target;
use anyhow::Context;
use std::ffi::OsString;

flags! {
    /// The flags of `cfgmin`.
    pub(crate) struct Args {
        use config: Config;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "cfgmin",
    face: Face::Reference,
    about: "print a configuration without private keys",
    usage: &["[options] > stripped.hjson"],
    operands: Operands::NONE,
    notes: "The result is enough for stat, check, rm, xfer, bundle, log and reass.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let mut node = session::load(&args.config, false).context("Error during initialization")?;
    if let Some(spool) = environment::spool() {
        node.spool = spool.into();
    }
    if let Some(log) = environment::log() {
        node.log = Target::from_override(&log).context("Error during initialization")?;
    }
    stdio::output_durably(hjson::print(&strip(&node)).trim_end().as_bytes())?;
    Ok(Exit::Done)
}
