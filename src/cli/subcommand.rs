//! Commands that have subcommands, such as `packmule zfs send`.

use super::command::{Call, Command, Exit, Misuse, WrongUsage};
use super::flag::{Flag, flags};
use super::{stdio, usage};
use crate::nearest::nearest;

/// The flags of all subcommands, for completions and the manual page.
pub(crate) fn all_flags(subcommands: &[Command]) -> Vec<Flag> {
    let mut flags: Vec<Flag> = subcommands.iter().flat_map(|command| (command.flags)()).collect();
    flags.sort_by(|one, other| one.name.cmp(&other.name));
    flags.dedup_by(|one, other| one.name == other.name);
    flags
}

/// Runs the subcommand that the first argument names.
pub(crate) fn start(call: &Call, subcommands: &'static [Command]) -> Exit {
    let Some((name, arguments)) = call.arguments.split_first() else {
        let names = subcommands.iter().map(short).collect::<Vec<_>>().join(", ");
        return call.fail(&Misuse(format!("a subcommand is missing: {names}")).into());
    };
    let name = name.to_string_lossy();
    match find(call.command, subcommands, &name) {
        Some(command) => {
            let program = format!("{} {name}", call.program);
            (command.start)(&Call { command, commands: call.commands, program, arguments })
        }
        None if name == "help" => {
            let of = arguments.first().and_then(|of| find(call.command, subcommands, of.to_str()?));
            help(of.unwrap_or(call.command));
            Exit::Done
        }
        None if name.starts_with('-') => overview(call),
        None => {
            let names = nearest(&name, subcommands.iter().map(short));
            let reason = format!("no such subcommand: {name}: {names}");
            call.fail(&Misuse(reason).into())
        }
    }
}

/// The subcommand with this name: `status` finds `zfs status`.
pub(crate) fn find(
    command: &Command,
    subcommands: &'static [Command],
    name: &str,
) -> Option<&'static Command> {
    let full = format!("{} {name}", command.name);
    subcommands.iter().find(|subcommand| subcommand.name == full)
}

/// The subcommand's name without its command's.
pub(crate) fn short(subcommand: &Command) -> &'static str {
    subcommand.name.split_once(' ').map_or(subcommand.name, |(_, name)| name)
}

/// Explains a command, or a subcommand.
pub(crate) fn help(command: &'static Command) {
    let program = usage::full_name(command);
    stdio::print(&usage::text(command, &program));
}

/// Prints help or the version, or reports that the subcommand is missing.
fn overview(call: &Call) -> Exit {
    call.run(|_: &NoFlags, _| Err(WrongUsage.into()))
}

flags! {
    /// The command itself has no flags.
    struct NoFlags {}
}
