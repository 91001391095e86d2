//! `packmule help`: what commands there are, and what one of them does.

use super::{
    COMMANDS,
    command::{Call, Command, Exit, Face, WrongUsage},
    find,
    flag::{Flags, flags},
    stdio, usage,
};
use anyhow::anyhow;
use std::{ffi::OsString, fmt::Write};

/// The row of the table.
pub const COMMAND: Command = Command {
    name: "help",
    face: Face::Own,
    about: "list the commands, or explain one",
    usage: &["[COMMAND]"],
    notes: "",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule help`: none.
    pub struct Args {}
}

fn run(_: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    match operands {
        [] => stdio::print(&overview()),
        [name] => {
            let command = name.to_str().and_then(find);
            let command = command.ok_or_else(|| anyhow!("no such command: {}", name.display()))?;
            let program = usage::full_name(command);
            stdio::print(&usage::text(&Call { command, program, arguments: &[] }));
        }
        _ => return Err(WrongUsage.into()),
    }
    Ok(Exit::Done)
}

/// All commands with what they do.
pub fn overview() -> String {
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
        for command in COMMANDS.iter().filter(|command| command.face == face) {
            let _ = writeln!(out, "  {:<12}{}", command.name, command.about);
        }
    }
    out.push_str("\npackmule help COMMAND explains one; so does packmule COMMAND -h.\n");
    out
}
