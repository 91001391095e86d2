//! The command line: the only code that reads arguments and the environment, prints and exits.
//!
//! `table.rs` has a row for each command, and each command has a file.

pub(crate) mod ack;
pub(crate) mod bundle;
pub(crate) mod call;
pub(crate) mod caller;
pub(crate) mod cfgdir;
pub(crate) mod cfgenc;
pub(crate) mod cfgmin;
pub(crate) mod cfgnew;
pub(crate) mod check;
pub(crate) mod closing;
mod command;
pub(crate) mod completion;
pub(crate) mod cronexpr;
pub(crate) mod daemon;
pub(crate) mod doctor;
mod entry;
pub(crate) mod environment;
pub(crate) mod exec;
pub(crate) mod file;
pub(crate) mod flag;
mod followed;
mod forget;
pub(crate) mod freq;
pub(crate) mod given;
pub(crate) mod handle;
pub(crate) mod hash;
mod hash_trace;
pub(crate) mod help;
pub(crate) mod integer;
pub(crate) mod interrupt;
mod kib;
pub(crate) mod kinds;
mod limits;
pub(crate) mod links;
pub(crate) mod log;
pub(crate) mod lookup;
pub mod manual;
pub(crate) mod mtree;
mod names;
mod nice;
mod offer;
pub(crate) mod online;
pub(crate) mod operands;
pub(crate) mod parse;
pub(crate) mod passphrase;
pub(crate) mod peers;
pub(crate) mod pkt;
pub(crate) mod producer;
pub(crate) mod progress;
pub(crate) mod reass;
pub(crate) mod rm;
pub(crate) mod roff;
pub(crate) mod session;
pub(crate) mod shared;
pub(crate) mod stat;
mod status;
pub(crate) mod stdio;
pub(crate) mod subcommand;
mod table;
pub(crate) mod toss;
pub(crate) mod trns;
pub(crate) mod usage;
pub(crate) mod value;
pub(crate) mod version;
pub(crate) mod xfer;
pub(crate) mod zfs;

use crate::nearest;
use command::{Call, Exit, find};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use table::COMMANDS;

/// Runs a command. Its name is the last path component of the first argument (`/usr/bin/nncp-toss`),
/// or else the second argument (`packmule toss`).
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
    // The reference checks the environment before it parses flags.
    match environment::deadline() {
        Ok(_) => (call.command.start)(call),
        Err(error) => call.fail(&error.into()),
    }
}
