//! `packmule mtree`: manifests of trees. Each subcommand has a file.

mod convert;
mod create;
mod diff;
mod from_tar;
mod input;
mod send;
mod shared;
mod verify;

use super::command::{Command, Face};
use super::subcommand;
use crate::cli::operands::Operands;

/// The row of the table of commands. Its flags are those of all subcommands, for completions and
/// the manual page.
pub(crate) const COMMAND: Command = Command {
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
    operands: Operands::these("[WORD...]"),
    notes: "A manifest lists the contents of a tree in the format of mtree(5). mtree reads all dialects,\n\
        plain or compressed with zstd; - is standard input.\n\
        packmule mtree SUBCOMMAND -h explains a subcommand.\n\
        \n\
        Exit status: 0 equal, or success; 2 something differs; 1 not everything could be checked.",
    flags: || subcommand::all_flags(&SUBCOMMANDS),
    start: |call| subcommand::start(call, &SUBCOMMANDS).of_comparison(),
};

/// The subcommands.
pub(super) static SUBCOMMANDS: [Command; 6] = [
    create::COMMAND,
    verify::COMMAND,
    diff::COMMAND,
    convert::COMMAND,
    from_tar::COMMAND,
    send::COMMAND,
];
