//! Errors of the disk, with the operation and the path.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// The operation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Open a file.
    Open,
    /// Create a file.
    Create,
    /// Write to a file.
    Write,
    /// Sync a file or directory.
    Sync,
    /// Synced, a directory.
    SyncDir,
    /// Create a directory.
    Mkdir,
    /// Rename a file.
    Rename,
    /// Make a link.
    Link,
    /// Remove a file or directory.
    Remove,
    /// Read a file or directory.
    Read,
    /// Get the status of a path.
    Stat,
    /// Lock a file.
    Lock,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open | Self::Create => "open",
            Self::Write => "write",
            Self::Sync | Self::SyncDir => "fsync",
            Self::Mkdir => "mkdir",
            Self::Rename => "rename",
            Self::Link => "link",
            Self::Remove => "remove",
            Self::Read => "read",
            Self::Stat => "stat",
            Self::Lock => "locking",
        })
    }
}

/// An operation on the disk failed.
#[derive(Debug, thiserror::Error)]
#[error("{op} {}: {}", path.display(), crate::display::reason(cause))]
pub struct DiskError {
    /// The operation.
    pub op: Op,
    /// The path.
    pub path: PathBuf,
    /// The error of the system.
    pub cause: io::Error,
}

impl DiskError {
    /// A copy of the error, for another packet that failed for the same reason.
    pub(crate) fn again(&self) -> Self {
        let cause = match self.cause.raw_os_error() {
            Some(errno) => io::Error::from_raw_os_error(errno),
            None => io::Error::new(self.cause.kind(), self.cause.to_string()),
        };
        Self { op: self.op, path: self.path.clone(), cause }
    }
}

impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        Self::new(error.cause.kind(), error)
    }
}

/// A result of the disk.
pub(crate) type Result<T> = std::result::Result<T, DiskError>;

pub(super) fn at<T>(op: Op, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|cause| DiskError { op, path: path.to_owned(), cause })
}
