//! The node that is examined.

use crate::config::Loaded;
use crate::spool::Spool;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::path::Path;

/// The node that is examined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patient<'a> {
    /// The path of the configuration.
    pub config: &'a Path,
    /// The checked configuration.
    pub loaded: &'a Loaded,
    /// The spool that commands use. Opened with `hdr: false`, so that reading it writes no headers.
    pub spool: &'a Spool,
    /// The user's `PATH`.
    pub programs: &'a OsStr,
    /// The current time.
    pub now: Timestamp,
}
