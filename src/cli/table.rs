//! The one table of commands. Adding a command is one file and one row.

use super::command::Command;
use super::{
    ack, bundle, call, caller, cfgdir, cfgenc, cfgmin, cfgnew, check, completion, cronexpr, daemon,
    doctor, exec, file, forget, freq, handle, hash, help, links, log, mtree, offer, peers, pkt,
    reass, rm, stat, status, toss, trns, xfer, zfs,
};

/// Every command.
pub(super) static COMMANDS: &[Command] = &[
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
    status::COMMAND,
    offer::COMMAND,
    forget::COMMAND,
    mtree::COMMAND,
    zfs::COMMAND,
];

#[cfg(test)]
mod tests {
    use super::super::command::{Face, find};
    use super::super::usage;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn commands_are_found_under_all_their_names() {
        assert_eq!(find(COMMANDS, "nncp-toss").unwrap().name, "toss");
        assert_eq!(find(COMMANDS, "toss").unwrap().name, "toss");
        assert_eq!(find(COMMANDS, "links").unwrap().name, "links");
        assert!(find(COMMANDS, "nncp-links").is_none());
        assert!(find(COMMANDS, "nncp-").is_none());
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
                assert!(seen.insert(flag.name.clone()), "{} -{}", command.name, flag.name);
                assert!(!flag.summary().is_empty(), "{} -{}", command.name, flag.name);
            }
        }
    }
}
