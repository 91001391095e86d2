//! `packmule links`: symbolic links under the reference's command names.

use super::{
    COMMANDS,
    command::{Command, Exit, Face, WrongUsage},
    flag::{Flags, flags},
};
use anyhow::Context;
use std::{ffi::OsString, io, os::unix::fs::symlink, path::Path};

/// The row of the table.
pub const COMMAND: Command = Command {
    name: "links",
    face: Face::Own,
    about: "make links under the names nncp-*",
    usage: &["[options] DIR"],
    notes: "DIR gets a symbolic link to this program for each of the commands nncp-ack to nncp-xfer.\n\
            Put it before the reference in PATH to switch over, take it out to go back.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule links`.
    pub struct Args {
        /// Replace links that are there already; files are never replaced
        "force" force: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [directory] = operands else { return Err(WrongUsage.into()) };
    let program = std::env::current_exe().context("finding this program")?;
    for command in COMMANDS.iter().filter(|command| command.face == Face::Reference) {
        let link = Path::new(directory).join(format!("nncp-{}", command.name));
        make(&program, &link, args.force).with_context(|| format!("linking {}", link.display()))?;
    }
    Ok(Exit::Done)
}

fn make(program: &Path, link: &Path, replace: bool) -> io::Result<()> {
    if replace && link.is_symlink() {
        std::fs::remove_file(link)?;
    }
    symlink(program, link)
}
