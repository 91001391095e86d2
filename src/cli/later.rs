//! Commands of the reference that are not there yet: named, listed, and refused.

use super::command::{Command, Face, not_there_yet};

const fn later(name: &'static str, about: &'static str) -> Command {
    Command {
        name,
        face: Face::Reference,
        about,
        usage: &["[options]"],
        notes: "This command is not there yet.",
        flags: Vec::new,
        start: not_there_yet,
    }
}

pub(super) const BUNDLE: Command =
    later("bundle", "write packets to a stream, or take them from one");
pub(super) const CHECK: Command = later("check", "verify packets in the spool against their names");
pub(super) const HASH: Command = later("hash", "calculate the Merkle tree hash of a file");
pub(super) const LOG: Command = later("log", "show the log");
pub(super) const REASS: Command = later("reass", "put chunked files together");
pub(super) const RM: Command = later("rm", "remove packets and left-overs from the spool");
pub(super) const STAT: Command = later("stat", "show what waits in the spool");
