//! Why a session of receives cannot continue.

use super::super::command::ZfsError;
use std::io;

/// Why a session cannot continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// `zfs` cannot be run.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// The dataset of `--into` does not exist.
    #[error("the dataset {0} of --into does not exist")]
    NoRoot(String),
    /// A stream could not be read.
    #[error("reading the stream: {0}")]
    Read(io::Error),
    /// The file of a finished stream could not be removed.
    #[error("removing the file: {0}")]
    Remove(io::Error),
    /// The decrypting filter failed.
    #[error("{command} failed ({status}): {stderr}")]
    Filter {
        /// The filter's command.
        command: String,
        /// Its exit status.
        status: String,
        /// Its error output.
        stderr: String,
    },
    /// A lock file could not be made.
    #[error("locking: {0}")]
    Lock(io::Error),
}
