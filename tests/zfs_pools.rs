//! Sending and receiving on real pools: of zfs-fuse on this machine, and of OpenZFS 2.1 and 2.3 in
//! emulated ones.
//!
//! Without root, `/dev/fuse` or zfs-fuse its scenarios are reported as skipped, by name, which in CI is
//! a failure. Those of an emulated machine that is not built are reported as skipped too, and so are all
//! of them in CI, where they take too long; `make test-openzfs` builds the machines and plays everything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test panics when it fails")]

#[path = "zfs/advice.rs"]
mod advice;
#[path = "zfs/airgap.rs"]
mod airgap;
#[path = "zfs/delegation.rs"]
mod delegation;
#[path = "zfs/dump.rs"]
mod dump;
#[path = "zfs/guest.rs"]
mod guest;
#[path = "zfs/incoming.rs"]
mod incoming;
#[path = "zfs/killer.rs"]
mod killer;
#[path = "zfs/lab.rs"]
mod lab;
#[path = "zfs/node.rs"]
mod node;
#[path = "zfs/open.rs"]
mod open;
#[path = "zfs/others.rs"]
mod others;
#[path = "zfs/raw.rs"]
mod raw;
#[path = "zfs/readme.rs"]
mod readme;
#[path = "zfs/scenarios.rs"]
mod scenarios;
#[path = "zfs/verify.rs"]
mod verify;

use lab::Lab;
use scenarios::Scenario;
use std::process::ExitCode;

const FUSE: &str = "zfs-fuse";
/// A machine's directory below `target/openzfs`, and what scenarios on it are called.
const MACHINES: [(&str, &str); 2] = [("stable", "openzfs-2.1"), ("backports", "openzfs-2.3")];
/// Of the scenarios that play everywhere, those that emulated machines play in every test run. The
/// others take ten minutes there, and are played when asked for: `make test-openzfs`.
const ALWAYS: [&str; 4] =
    ["a full stream and", "a lost stick is", "damaged, cut and", "a backup that was written to"];

fn main() -> ExitCode {
    let everywhere = scenarios::ALL;
    let is_quick = |(name, _): &Scenario| ALWAYS.iter().any(|start| name.starts_with(start));
    let quick: Vec<_> = everywhere.iter().filter(|scenario| is_quick(scenario)).copied().collect();
    let on_openzfs = if scenarios::filter().is_empty() && !scenarios::is_ci() {
        [open::ALL, &quick].concat()
    } else {
        [open::ALL, everywhere, open::LAST].concat()
    };
    if std::env::args().any(|arg| arg == "--list") {
        scenarios::list(FUSE, &[everywhere, advice::ALL].concat());
        MACHINES.iter().for_each(|(_, which)| scenarios::list(which, &on_openzfs));
        return ExitCode::SUCCESS;
    }
    let passed = match guest::inside() {
        Some(which) => {
            scenarios::run(&which, &Lab::open(), &scenarios::chosen(&which, &on_openzfs))
        }
        None => std::thread::scope(|scope| {
            // One processor each.
            let machines = MACHINES.map(|(directory, which)| {
                let chosen = scenarios::chosen(which, &on_openzfs);
                scope.spawn(move || on_openzfs_of(directory, which, &chosen))
            });
            let passed = on_fuse();
            machines.into_iter().fold(passed, |passed, machine| {
                let (printed, result) = machine.join().unwrap();
                print!("{printed}");
                passed & result
            })
        }),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn on_openzfs_of(directory: &str, which: &str, chosen: &[Scenario]) -> (String, bool) {
    if chosen.is_empty() {
        return (String::new(), true);
    }
    if scenarios::is_ci() && scenarios::filter().is_empty() {
        return (scenarios::skipped(which, chosen, "in CI: make test-openzfs"), true);
    }
    let played = guest::run(directory, which);
    played.unwrap_or_else(|reason| (scenarios::skipped(which, chosen, &reason), true))
}

fn on_fuse() -> bool {
    let chosen = scenarios::chosen(FUSE, &[scenarios::ALL, advice::ALL].concat());
    if chosen.is_empty() {
        return true;
    }
    match Lab::fuse() {
        Ok(lab) => scenarios::run(FUSE, &lab, &chosen),
        Err(reason) => {
            print!("{}", scenarios::skipped(FUSE, &chosen, &reason));
            !scenarios::is_ci()
        }
    }
}
