//! `nncp-cfgdir`: converts a configuration to a directory and back.

use super::command::{Command, Exit, Face, Misuse, WrongUsage};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::shared::Config;
use super::{session, stdio};
use crate::config::{self, hjson};
use std::ffi::OsString;
use std::path::Path;

flags! {
    /// The flags of `cfgdir`.
    pub(crate) struct Args {
        use config: Config;
        /// Write the configuration file to the directory
        "dump" dump: bool;
        /// Print the directory as a configuration file
        "load" load: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "cfgdir",
    face: Face::Reference,
    about: "convert a configuration to a directory and back",
    usage: &["[options] [-cfg ...] -dump DIR", "[options] -load DIR > cfg.hjson"],
    operands: Operands::these("DIR"),
    notes: "Every command accepts such a directory as its -cfg.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [directory] = operands else {
        return Err(WrongUsage.into());
    };
    if !args.dump && !args.load {
        return Err(Misuse("-dump or -load is missing".into()).into());
    }
    let directory = Path::new(directory);
    if args.dump {
        // This command reads the file that -cfg names, even if NNCPCFG is set.
        let file = args.config.cfg.clone().unwrap_or_default();
        config::dump_directory(&config::load_tree(&file, session::passphrase)?, directory)?;
        // The user may remove the file now: then the only copy of the keys is in the directory.
        stdio::disk().sync_all_at(directory)?;
    }
    if args.load {
        let tree = config::load_directory(directory)?;
        config::checked(&tree)?;
        stdio::output_durably(hjson::print(&tree).as_bytes())?;
    }
    Ok(Exit::Done)
}
