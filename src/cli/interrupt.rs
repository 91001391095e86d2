//! Cleans up on SIGINT, SIGTERM and SIGHUP in a command that queues packets: removes unfinished
//! packets and ends programs that the command started, even while it waits.

use crate::outbound::end_producers;
use crate::spool::unfinished;
use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// On the first signal, cleans up and ends the process. A second signal ends it at once.
///
/// # Errors
/// The system has no free thread or descriptor.
pub(crate) fn clean_up_on_signals() -> anyhow::Result<()> {
    watch().context("waiting for signals")
}

fn watch() -> io::Result<()> {
    let ignored = ignored_signals();
    // nohup and shells ignore signals on purpose for background processes.
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|s| ignored >> (s - 1) & 1 == 0);
    let wanted: Vec<_> = wanted.collect();
    let mut signals = Signals::new(&wanted)?;
    let came = Arc::new(AtomicBool::new(false));
    for signal in wanted {
        flag::register_conditional_shutdown(signal, 128 + signal, came.clone())?;
        flag::register(signal, came.clone())?;
    }
    std::thread::Builder::new().spawn(move || {
        if let Some(signal) = signals.forever().next() {
            unfinished::abandon();
            end_producers();
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

/// The signals that the parent process had set to be ignored: one bit each.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
