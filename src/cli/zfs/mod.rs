//! `packmule zfs`: backups of ZFS datasets in packets. Each subcommand has a file.

mod examine;
mod inspect;
mod receive_dir;
mod resend;
mod run;
mod send;
mod sending;
mod set;
mod status;
mod way;
mod what;

pub(super) use examine::findings;

use super::command::{Command, Face};
use super::subcommand;
use crate::cli::operands::Operands;

/// The row of the table of commands. Its flags are those of all subcommands, for completions and
/// the manual page.
pub(crate) const COMMAND: Command = Command {
    name: "zfs",
    face: Face::Own,
    about: "send, receive and monitor backups of ZFS datasets",
    usage: &[
        "inspect [options] < STREAM",
        "send [options] NODE,... DATASET...",
        "run [options] [SET...]",
        "resend [options] NODE,... DATASET...",
        "receive-dir [options] DIR -- SETTINGS...",
        "status [options] [DATASET...]",
    ],
    operands: Operands::these("[WORD...]"),
    notes: concat!(
        "The receiving side is a handler in the sender's exec section:\n\
         \n\
         \x20 zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"tank/backups/laptop\"]\n\
         \n\
         What may follow its name:\n\
         \n",
        "{settings:zfs-receive}\n",
        "\n\
         With \"--receipt\", \"zfsreceipt\" appended, the receiver confirms applied snapshots to the\n\
         sender. The sender's handler records them for zfs resend:\n\
         \n\
         \x20 zfsreceipt: [\"builtin:zfs-receipt\"]\n\
         \n\
         What may follow its name:\n\
         \n",
        "{settings:zfs-receipt}\n",
        "\n\
         packmule-handle(1) describes both. packmule zfs SUBCOMMAND -h explains a subcommand.",
    ),
    flags: || subcommand::all_flags(&SUBCOMMANDS),
    start: |call| subcommand::start(call, &SUBCOMMANDS),
};

/// The subcommands.
pub(super) static SUBCOMMANDS: [Command; 6] = [
    inspect::COMMAND,
    send::COMMAND,
    run::COMMAND,
    resend::COMMAND,
    receive_dir::COMMAND,
    status::COMMAND,
];
