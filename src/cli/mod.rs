//! The command line: the only code that reads arguments and the environment, prints and exits.
//!
//! [`COMMANDS`] is the one table of commands. Adding a command is one file and one row.

pub mod ack;
pub mod bundle;
pub mod call;
pub mod caller;
pub mod cfgdir;
pub mod cfgenc;
pub mod cfgmin;
pub mod cfgnew;
pub mod check;
pub mod closing;
mod command;
pub mod completion;
pub mod cronexpr;
pub mod daemon;
pub mod doctor;
pub mod environment;
pub mod exec;
pub mod file;
pub mod flag;
pub mod freq;
pub mod given;
pub mod handle;
pub mod hash;
mod hash_trace;
pub mod help;
pub mod integer;
pub mod interrupt;
mod kib;
mod limits;
pub mod links;
pub mod log;
pub mod lookup;
pub mod manual;
pub mod mtree;
mod names;
mod nice;
pub mod online;
pub mod operands;
pub mod parse;
pub mod passphrase;
pub mod peers;
pub mod pkt;
pub mod producer;
pub mod progress;
pub mod reass;
pub mod rm;
pub mod roff;
pub mod session;
pub mod shared;
pub mod stat;
pub mod stdio;
pub mod subcommand;
pub mod toss;
pub mod trns;
pub mod usage;
pub mod value;
pub mod version;
pub mod xfer;
pub mod zfs;

use crate::nearest;
use command::{Call, Command, Exit, Face};
use std::{ffi::OsString, path::Path, process::ExitCode};

/// Every command.
pub static COMMANDS: &[Command] = &[
    ack::COMMAND,
    bundle::COMMAND,
    call::COMMAND,
    caller::COMMAND,
    cfgdir::COMMAND,
    cfgenc::COMMAND,
    cfgmin::COMMAND,
    cfgnew::COMMAND,
    check::COMMAND,
    cronexpr::COMMAND,
    daemon::COMMAND,
    exec::COMMAND,
    file::COMMAND,
    freq::COMMAND,
    hash::COMMAND,
    log::COMMAND,
    pkt::COMMAND,
    reass::COMMAND,
    rm::COMMAND,
    stat::COMMAND,
    toss::COMMAND,
    trns::COMMAND,
    xfer::COMMAND,
    completion::COMMAND,
    doctor::COMMAND,
    handle::COMMAND,
    help::COMMAND,
    links::COMMAND,
    peers::COMMAND,
    mtree::COMMAND,
    zfs::COMMAND,
];

/// The command called `name`, with or without `nncp-`.
pub fn find(name: &str) -> Option<&'static Command> {
    let (name, reference_only) = match name.strip_prefix("nncp-") {
        Some(name) => (name, true),
        None => (name, false),
    };
    COMMANDS
        .iter()
        .find(|command| command.name == name)
        .filter(|command| !reference_only || command.face == Face::Reference)
}

/// Runs the command that the arguments name: by the last element of the first one
/// (`/usr/bin/nncp-toss`), else by the second (`packmule toss`).
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    limits::raise_open_files();
    limits::survive_file_sizes();
    let arguments: Vec<_> = arguments.collect();
    match dispatch(&arguments) {
        Exit::Done if stdio::is_lost() => Exit::Failed,
        exit => exit,
    }
    .into()
}

fn dispatch(arguments: &[OsString]) -> Exit {
    let (program, rest) = match arguments.split_first() {
        Some((program, rest)) => (program.to_string_lossy().into_owned(), rest),
        None => ("packmule".into(), arguments),
    };
    let base = Path::new(&program).file_name().and_then(|base| base.to_str()).unwrap_or_default();
    if let Some(command) = base.starts_with("nncp-").then(|| find(base)).flatten() {
        return enter(&Call { command, program, arguments: rest });
    }
    let Some((first, rest)) = rest.split_first() else {
        stdio::complain(&help::overview());
        return Exit::Usage;
    };
    let first = first.to_string_lossy();
    match (&*first, find(&first)) {
        ("-h" | "-help" | "--help", _) => {
            stdio::print(&help::overview());
            Exit::Done
        }
        ("-version" | "--version", _) => {
            stdio::print(&version::own_line());
            Exit::Done
        }
        (_, Some(command)) => {
            let program = format!("{program} {first}");
            enter(&Call { command, program, arguments: rest })
        }
        (_, None) => {
            let first = crate::display::escape(&first);
            let meant = match nearest::meant(&first, COMMANDS.iter().map(|command| command.name)) {
                Some(name) => format!("did you mean {name}? "),
                None => String::new(),
            };
            stdio::complain(&format!(
                "{program}: no such command: {first} ({meant}packmule help lists them)\n"
            ));
            Exit::Usage
        }
    }
}

fn enter(call: &Call) -> Exit {
    // The reference refuses a bad environment before it looks at any flag.
    match environment::deadline() {
        Ok(_) => (call.command.start)(call),
        Err(error) => call.fail(&error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn commands_are_found_under_all_their_names() {
        assert_eq!(find("nncp-toss").unwrap().name, "toss");
        assert_eq!(find("toss").unwrap().name, "toss");
        assert_eq!(find("links").unwrap().name, "links");
        assert!(find("nncp-links").is_none());
        assert!(find("nncp-").is_none());
    }

    #[test]
    fn the_reference_has_23_commands_and_so_have_we() {
        let names: Vec<_> =
            COMMANDS.iter().filter(|c| c.face == Face::Reference).map(|c| c.name).collect();
        assert_eq!(names.len(), 23);
        assert!(names.is_sorted());
    }

    #[test]
    fn no_command_declares_a_flag_twice_or_without_a_text() {
        for command in COMMANDS {
            let mut seen = BTreeSet::new();
            for flag in usage::all_flags(command) {
                assert!(seen.insert(flag.name), "{} -{}", command.name, flag.name);
                assert!(!flag.summary().is_empty(), "{} -{}", command.name, flag.name);
            }
        }
    }
}
