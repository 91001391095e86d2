//! Why a chunked file was not reassembled.

use crate::disk::DiskError;
use packmule_protocol::chunked::MetaError;
use std::io;
use std::path::PathBuf;

/// Maximal number of chunks of a file. Their checksums are kept in memory.
pub(super) const CHUNKS_MAX: u64 = 4 << 20;

/// A chunked file was not reassembled. No data was lost.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReassError {
    /// The description cannot be opened.
    #[error("Can not open file: {0}")]
    Open(DiskError),
    /// Another process is reassembling it.
    #[error("another process is reassembling it")]
    Busy,
    /// The description is invalid.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// It has too many chunks.
    #[error("more than {} chunks", CHUNKS_MAX)]
    TooMany,
    /// The description's name has the wrong suffix, or leaves no name for the file.
    #[error("invalid filename suffix")]
    Suffix,
    /// Chunks are missing or wrong. Each was logged.
    #[error("chunks are missing or wrong")]
    Chunks,
    /// Another file has the name of the growing file.
    #[error("{}: exists and is not a beginning of the file: move it away", .0.display())]
    InTheWay(PathBuf),
    /// An operation on the disk failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is complete, but its description could not be removed.
    #[error(transparent)]
    Removing(DiskError),
    /// The file could not be written to the stream.
    #[error("{0}")]
    Stream(io::Error),
}
