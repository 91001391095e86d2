//! The command line: the only code that reads arguments and the environment, prints and exits.
//!
//! `table.rs` has a row for each command, and each command has a file.

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
mod entry;
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
pub mod kinds;
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
mod table;
pub mod toss;
pub mod trns;
pub mod usage;
pub mod value;
pub mod version;
pub mod xfer;
pub mod zfs;

use crate::nearest;
use command::{Call, Exit, find};
use std::{ffi::OsString, path::Path, process::ExitCode};
use table::COMMANDS;

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
    if let Some(command) = base.starts_with("nncp-").then(|| find(COMMANDS, base)).flatten() {
        return enter(&Call { command, commands: COMMANDS, program, arguments: rest });
    }
    let Some((first, rest)) = rest.split_first() else {
        stdio::complain(&help::overview(COMMANDS));
        return Exit::Usage;
    };
    let first = first.to_string_lossy();
    match (&*first, find(COMMANDS, &first)) {
        ("-h" | "-help" | "--help", _) => {
            stdio::print(&help::overview(COMMANDS));
            Exit::Done
        }
        ("-version" | "--version", _) => {
            stdio::print(&version::own_line());
            Exit::Done
        }
        (_, Some(command)) => {
            let program = format!("{program} {first}");
            enter(&Call { command, commands: COMMANDS, program, arguments: rest })
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
