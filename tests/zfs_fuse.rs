//! Sending and receiving on real pools of zfs-fuse, one named scenario after another.
//!
//! Without root, `/dev/fuse` or zfs-fuse every scenario is reported as skipped, by name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test panics when it fails")]

#[path = "zfs/airgap.rs"]
mod airgap;
#[path = "zfs/incoming.rs"]
mod incoming;
#[path = "zfs/killer.rs"]
mod killer;
#[path = "zfs/lab.rs"]
mod lab;
#[path = "zfs/node.rs"]
mod node;
#[path = "zfs/readme.rs"]
mod readme;
#[path = "zfs/scenarios.rs"]
mod scenarios;
#[path = "zfs/verify.rs"]
mod verify;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if std::env::args().any(|arg| arg == "--list") {
        scenarios::ALL.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let wanted = |name: &str| filter.as_deref().is_none_or(|filter| name.contains(filter));
    let chosen: Vec<_> = scenarios::ALL.iter().filter(|(name, _)| wanted(name)).collect();
    if chosen.is_empty() {
        return ExitCode::SUCCESS;
    }
    let lab = match lab::Lab::start() {
        Ok(lab) => lab,
        Err(reason) => {
            for (name, _) in chosen {
                println!("test zfs-fuse: {name} ... skipped ({reason})");
            }
            return ExitCode::SUCCESS;
        }
    };
    let mut failed = 0;
    for (name, scenario) in chosen {
        lab.clean();
        let passed = catch_unwind(AssertUnwindSafe(|| scenario(&lab))).is_ok();
        println!("test zfs-fuse: {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    drop(lab);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
