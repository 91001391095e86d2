//! What was done to which path when the disk refused, and why.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What was done to a path when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Opened.
    Open,
    /// Created.
    Create,
    /// Written to.
    Write,
    /// Synced.
    Sync,
    /// Synced, a directory.
    SyncDir,
    /// Created, a directory.
    Mkdir,
    /// Given another name.
    Rename,
    /// Given one more name.
    Link,
    /// Removed.
    Remove,
    /// Read.
    Read,
    /// Looked at.
    Stat,
    /// Locked.
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

/// The disk refused.
#[derive(Debug, thiserror::Error)]
#[error("{op} {}: {}", path.display(), crate::display::reason(cause))]
pub struct DiskError {
    /// What was done.
    pub op: Op,
    /// To which path.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl DiskError {
    /// The same once more, for the next thing that it struck.
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
