//! How much of the system the process may use.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Allows as many open files as the system lets us: a file in chunks holds all of its packets open
/// until the last one is written. (Programs of Go do the same.)
pub(super) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // With fewer, such a file is refused as a whole.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}
