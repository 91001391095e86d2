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
pub(super) const REASS: Command = later("reass", "put chunked files together");
