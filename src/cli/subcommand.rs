//! Commands that are made of subcommands, such as `packmule zfs send`.

use super::{
    command::{Call, Command, Exit, WrongUsage},
    flag::{Flag, flags},
    stdio,
};
use crate::log::sentence;

/// The flags of all subcommands, for completions and the manual page.
pub fn all_flags(subcommands: &[Command]) -> Vec<Flag> {
    let mut flags: Vec<Flag> = subcommands.iter().flat_map(|command| (command.flags)()).collect();
    flags.sort_by_key(|flag| flag.name);
    flags.dedup_by_key(|flag| flag.name);
    flags
}

/// Enters the subcommand that the first argument names.
pub fn start(call: &Call, subcommands: &'static [Command]) -> Exit {
    let Some((name, arguments)) = call.arguments.split_first() else { return overview(call) };
    let name = name.to_string_lossy();
    let full = format!("{} {name}", call.command.name);
    match subcommands.iter().find(|command| command.name == full) {
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
    call.run(|_: &NoFlags, _| Err(WrongUsage.into()))
}

flags! {
    /// The command itself has no flags.
    struct NoFlags {}
}
