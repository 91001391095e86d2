//! Why receiving cannot go on.

use super::super::command::ZfsError;
use std::io;

/// Why a session can not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// `zfs` can not be run or asked.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// The root of the configuration does not exist.
    #[error("the dataset {0} of --into does not exist")]
    NoRoot(String),
    /// A stream could not be read.
    #[error("reading the stream: {0}")]
    Read(io::Error),
    /// A file that is done with could not be removed.
    #[error("removing the file: {0}")]
    Remove(io::Error),
    /// The filter that decrypts failed.
    #[error("{command} failed ({status}): {words}")]
    Filter {
        /// The filter.
        command: String,
        /// How it ended.
        status: String,
        /// What it said.
        words: String,
    },
    /// Lock files can not be made.
    #[error("locking: {0}")]
    Lock(io::Error),
}
