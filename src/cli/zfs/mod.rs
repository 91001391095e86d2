//! `packmule zfs`: backups of ZFS datasets by packets. One file a subcommand.

mod inspect;
mod receive_dir;
mod resend;
mod run;
mod send;
mod set;
mod status;

use super::{
    command::{Call, Command, Exit, Face},
    flag::Flag,
    stdio,
};
use crate::log::sentence;

/// The row of the table of commands. Its flags are those of all subcommands, for completions and
/// the manual page.
pub const COMMAND: Command = Command {
    name: "zfs",
    face: Face::Own,
    about: "send, receive and watch backups of ZFS datasets",
    usage: &[
        "inspect [options] < STREAM",
        "send [options] NODE,... DATASET...",
        "run [options] [SET...]",
        "resend [options] NODE,... DATASET...",
        "receive-dir [options] DIR -- SETTINGS...",
        "status [options] [DATASET...]",
    ],
    notes: "The receiving side is a handler in the sender's exec section:\n\
            \n\
            \x20 zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"tank/backups/laptop\"]\n\
            \n\
            With \"--receipt\", \"zfsreceipt\" behind it, what was applied is told to the sender, whose\n\
            handler for that notes it for zfs resend:\n\
            \n\
            \x20 zfsreceipt: [\"builtin:zfs-receipt\"]\n\
            \n\
            packmule zfs SUBCOMMAND -h explains one.",
    flags: all_flags,
    start,
};

/// The subcommands.
static SUBCOMMANDS: [Command; 6] = [
    inspect::COMMAND,
    send::COMMAND,
    run::COMMAND,
    resend::COMMAND,
    receive_dir::COMMAND,
    status::COMMAND,
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
    let full = format!("zfs {name}");
    match SUBCOMMANDS.iter().find(|command| command.name == full) {
        Some(command) => {
            let program = format!("{} {name}", call.program);
            (command.start)(&Call { command, program, arguments })
        }
        None if name.starts_with('-') => overview(call),
        None => {
            let name = sentence::escape(&name);
            stdio::complain(&format!("{}: no such subcommand: {name}\n", call.program));
            Exit::Usage
        }
    }
}

/// What `-h` and `-version` print, or why there is nothing to do.
fn overview(call: &Call) -> Exit {
    call.run(|_: &NoFlags, _| Err(super::command::WrongUsage.into()))
}

super::flag::flags! {
    /// `packmule zfs` itself has no flags.
    struct NoFlags {}
}
