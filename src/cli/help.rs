//! `packmule help`: lists the commands, or explains one.

use super::command::{Command, Exit, Face, WrongUsage, find};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::{mtree, stdio, subcommand, zfs};
use crate::nearest::nearest;
use anyhow::{anyhow, bail};
use std::ffi::OsString;
use std::fmt::Write;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "help",
    face: Face::Own,
    about: "list the commands, or explain one",
    usage: &["[COMMAND [SUBCOMMAND]]"],
    operands: Operands::these("[COMMAND...]"),
    notes: "",
    flags: Args::declared,
    start: |call| call.run(|_: &Args, operands| run(call.commands, operands)),
};

flags! {
    /// The flags of `packmule help`: none.
    pub(crate) struct Args {}
}

fn run(commands: &'static [Command], operands: &[OsString]) -> anyhow::Result<Exit> {
    let words: Vec<_> = operands.iter().map(|word| word.to_string_lossy()).collect();
    let mut names: Vec<&str> = words.iter().map(|word| &**word).collect();
    // Accepts `zfs-status` for `zfs status`, in the form of a manual page's name.
    if let [name] = names[..]
        && find(commands, name).is_none()
        && let Some((name, sub)) =
            name.split_once(['-', ' ']).filter(|(name, _)| find(commands, name).is_some())
    {
        names = vec![name, sub];
    }
    match names[..] {
        [] => stdio::print(&overview(commands)),
        [name] => subcommand::help(named(commands, name)?),
        [name, sub] => subcommand::help(subcommand_of(named(commands, name)?, sub)?),
        _ => return Err(WrongUsage.into()),
    }
    Ok(Exit::Done)
}

fn named(commands: &'static [Command], name: &str) -> anyhow::Result<&'static Command> {
    find(commands, name).ok_or_else(|| {
        let names = commands.iter().map(|command| command.name);
        anyhow!("no such command: {name}: {}", nearest(name, names))
    })
}

fn subcommand_of(command: &'static Command, name: &str) -> anyhow::Result<&'static Command> {
    let subcommands = match command.name {
        "zfs" => zfs::SUBCOMMANDS.as_slice(),
        "mtree" => mtree::SUBCOMMANDS.as_slice(),
        other => bail!("{other} has no subcommands"),
    };
    let names = subcommands.iter().map(subcommand::short);
    subcommand::find(command, subcommands, name).ok_or_else(|| {
        anyhow!("{} has no subcommand {name}: {}", command.name, nearest(name, names))
    })
}

/// All commands with what they do.
pub(crate) fn overview(commands: &[Command]) -> String {
    let mut out = String::from(
        "packmule: NNCP store-and-forward, made for airgapped and asynchronous backups\n\n\
         Usage: packmule COMMAND [options] [arguments]\n\
         \x20      nncp-COMMAND [options] [arguments]    (see packmule links)\n",
    );
    for (face, title) in [
        (Face::Reference, "Commands of NNCP, also as nncp-COMMAND:"),
        (Face::Own, "packmule's own commands:"),
    ] {
        let _ = write!(out, "\n{title}\n");
        for command in commands.iter().filter(|command| command.face == face) {
            let _ = writeln!(out, "  {:<12}{}", command.name, command.about);
        }
    }
    out.push_str("\npackmule help COMMAND explains one; so does packmule COMMAND -h.\n");
    out
}
