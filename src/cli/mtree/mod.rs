//! `packmule mtree`: manifests of trees. One file a subcommand.

mod convert;
mod create;
mod diff;
mod from_tar;
mod send;
mod shared;
mod verify;

use super::{
    command::{Call, Command, Exit, Face},
    flag::Flag,
    stdio,
};
use crate::log::sentence;

/// The row of the table of commands. Its flags are those of all subcommands, for completions and
/// the manual page.
pub const COMMAND: Command = Command {
    name: "mtree",
    face: Face::Own,
    about: "make, verify, convert and compare manifests of trees",
    usage: &[
        "create [options] [DIR]",
        "verify [options] MANIFEST [DIR]",
        "diff [options] OLD NEW",
        "convert [options] [MANIFEST]",
        "from-tar [options] < ARCHIVE",
        "send [options] NODE HANDLE TREE [DIR]",
    ],
    notes: "A manifest is a list of what a tree holds, in the format of mtree(5). All dialects are\n\
            read, plain or compressed with zstd; - is standard input.\n\
            packmule mtree SUBCOMMAND -h explains one.\n\
            \n\
            Exit status: 0 equal, or made; 2 something differs; 1 not all could be checked.",
    flags: all_flags,
    start,
};

/// The subcommands.
static SUBCOMMANDS: [Command; 6] = [
    create::COMMAND,
    verify::COMMAND,
    diff::COMMAND,
    convert::COMMAND,
    from_tar::COMMAND,
    send::COMMAND,
];

fn all_flags() -> Vec<Flag> {
    let mut flags: Vec<Flag> = SUBCOMMANDS.iter().flat_map(|command| (command.flags)()).collect();
    flags.sort_by_key(|flag| flag.name);
    flags.dedup_by_key(|flag| flag.name);
    flags
}

fn start(call: &Call) -> Exit {
    let Some((name, arguments)) = call.arguments.split_first() else { return overview(call) };
    let name = name.to_string_lossy();
    let full = format!("mtree {name}");
    match SUBCOMMANDS.iter().find(|command| command.name == full) {
        Some(command) => {
            let program = format!("{} {name}", call.program);
            // 2 is for differences.
            match (command.start)(&Call { command, program, arguments }) {
                Exit::Usage => Exit::Failed,
                exit => exit,
            }
        }
        None if name.starts_with('-') => overview(call),
        None => {
            let name = sentence::escape(&name);
            stdio::complain(&format!("{}: no such subcommand: {name}\n", call.program));
            Exit::Failed
        }
    }
}

/// What `-h` and `-version` print, or why there is nothing to do.
fn overview(call: &Call) -> Exit {
    match call.run(|_: &NoFlags, _| Err(super::command::WrongUsage.into())) {
        Exit::Usage => Exit::Failed,
        exit => exit,
    }
}

super::flag::flags! {
    /// `packmule mtree` itself has no flags.
    struct NoFlags {}
}
