//! How much of the system the process may use.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;
use std::sync::Arc;

/// Allows as many open files as the system lets us: calls and packets that become durable together
/// take several each. (Programs of Go do the same.)
pub(super) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // With fewer, less is done at a time.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// A file that may not grow any more (`ulimit -f`) is an error like a full disk, not the end of the
/// process. What we start gets the signal as usual.
pub(super) fn survive_file_sizes() {
    // The flag is not looked at: the write that failed says so. Without it, the signal ends us.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
