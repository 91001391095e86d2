//! Resource limits of the process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;
use std::sync::Arc;

/// Raises the limit of open files to the maximum. Each call, and each packet of a group that is
/// synced together, needs several. (Go programs do the same.)
pub(super) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // With a lower limit, packmule processes fewer packets at a time.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Handles a file size limit (`ulimit -f`) as an error, like a full disk, instead of ending the
/// process. Programs that packmule starts still receive the signal.
pub(super) fn survive_file_sizes() {
    // Nobody reads the flag: the write returns an error. Without a handler, SIGXFSZ ends the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
