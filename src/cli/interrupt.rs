//! Cleans up on SIGINT, SIGTERM and SIGHUP in a command that queues packets: removes or completes
//! unfinished packets and ends programs that the command started.

use crate::outbound::end_producers;
use crate::spool::unfinished;
use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// True after the first signal. The next signal then ends the process at once.
static SIGNALLED: AtomicBool = AtomicBool::new(false);

/// On the first signal, cleans up and ends the process, even while it waits. A second signal ends it
/// at once.
///
/// # Errors
/// The system has no free thread or descriptor.
pub(crate) fn clean_up_on_signals() -> anyhow::Result<()> {
    watch().context("waiting for signals")
}

fn watch() -> io::Result<()> {
    let wanted = wanted_signals();
    let mut signals = Signals::new(&wanted)?;
    for signal in wanted {
        second_signal_ends(signal)?;
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

/// Does `work`, which must be short and must not wait for other processes. On a signal, completes the
/// work and then ends the process. Ends it at once if there is no unfinished packet, or on a second
/// signal.
///
/// This is for speed: the thread of [`clean_up_on_signals`] takes a tenth of the time of queueing a
/// small file.
///
/// # Errors
/// A signal cannot be handled.
pub(crate) fn complete_on_signals<T>(work: impl FnOnce() -> T) -> anyhow::Result<T> {
    static SIGNAL: AtomicUsize = AtomicUsize::new(0);
    for signal in wanted_signals() {
        flag::register_conditional_default(signal, unfinished::none())?;
        second_signal_ends(signal)?;
        flag::register_usize(signal, &SIGNAL, usize::try_from(signal)?)?;
    }
    let done = work();
    if let signal @ 1.. = SIGNAL.load(Ordering::SeqCst) {
        emulate_default_handler(c_int::try_from(signal)?)?;
    }
    Ok(done)
}

fn second_signal_ends(signal: c_int) -> io::Result<()> {
    flag::register_conditional_shutdown(signal, 128 + signal, &SIGNALLED)?;
    flag::register(signal, &SIGNALLED)?;
    Ok(())
}

/// The signals to handle.
fn wanted_signals() -> Vec<c_int> {
    let ignored = ignored_signals().unwrap_or(0);
    // nohup and shells ignore signals on purpose for background processes.
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|s| ignored >> (s - 1) & 1 == 0);
    wanted.collect()
}

/// The signals that the parent process had set to be ignored: one bit each.
fn ignored_signals() -> Option<u64> {
    // The kernel returns all of it in one read.
    let mut status = [0; 4096];
    let len = File::open("/proc/self/status").ok()?.read(&mut status).ok()?;
    let mut lines = status[..len].split(|byte| *byte == b'\n');
    let mask = lines.find_map(|line| line.strip_prefix(b"SigIgn:"))?;
    u64::from_str_radix(str::from_utf8(mask).ok()?.trim(), 16).ok()
}
