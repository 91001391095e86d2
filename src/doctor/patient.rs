//! The node that is examined.

use crate::config::Loaded;
use crate::spool::Spool;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::path::Path;

/// The node that is examined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patient<'a> {
    /// Where the configuration is.
    pub config: &'a Path,
    /// What it says.
    pub loaded: &'a Loaded,
    /// The spool that commands would use, without copies of headers: nothing is written.
    pub spool: &'a Spool,
    /// Where programs are found: what the user's `PATH` says.
    pub programs: &'a OsStr,
    /// What time it is.
    pub now: Timestamp,
}
