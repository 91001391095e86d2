//! `nncp-cfgnew`: prints a configuration with new keys.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::stdio;
use crate::config::fresh;
use std::ffi::OsString;

flags! {
    /// The flags of `cfgnew`.
    pub(crate) struct Args {
        /// Print only the section of a new area with this name
        "area" area: Option<String>;
        /// Leave out the explaining comments
        "nocomments" nocomments: bool;
        /// Print only a new key pair for Yggdrasil
        "yggdrasil" yggdrasil: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "cfgnew",
    face: Face::Reference,
    about: "generate a configuration with new keys",
    usage: &["[options] > new.hjson"],
    operands: Operands::NONE,
    notes: "",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let text = match &args.area {
        _ if args.yggdrasil => fresh::yggdrasil()?,
        Some(name) => fresh::area(name, !args.nocomments)?,
        None => fresh::configuration(!args.nocomments)?,
    };
    stdio::output_durably(text.as_bytes())?;
    Ok(Exit::Done)
}
