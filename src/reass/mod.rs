//! Reassembles chunked files. NNCP manual, "nncp-reass".
//!
//! `description` reads `F.nncp.meta`, `pieces` finds and verifies the chunks, and `assembly` makes
//! `F` of them, in the space of the chunks; an interrupted run can be resumed. All names are derived
//! from the description's and stay in its directory. Reass follows no link, and opens only regular
//! files.

mod assembly;
mod description;
mod pieces;
#[cfg(test)]
mod tests;

pub(crate) use description::Description;

use crate::disk::DiskError;
use crate::disk::{self, Disk};
use crate::log::Log;
use crate::log::event;
use crate::progress::Progress;

use packmule_protocol::chunked::{META_SUFFIX, MetaError};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Options of reassembly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Only verify the chunks.
    pub dry_run: bool,
    /// Keep the chunks and the description.
    pub keep: bool,
}

/// Reassembles chunked files.
#[derive(Clone, Copy)]
pub(crate) struct Reass<'a> {
    /// The disk.
    pub disk: Disk,
    /// The log of events.
    pub log: &'a Log,
    /// Receives the progress.
    pub progress: &'a Progress,
    /// The options.
    pub options: Options,
}

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
    #[error("more than {} chunks", description::CHUNKS_MAX)]
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

impl Reass<'_> {
    /// Reassembles the file of the description at `path`, in the same directory.
    ///
    /// # Errors
    /// [`ReassError`]. All except [`ReassError::Open`] were logged.
    pub(crate) fn file(&self, path: &Path) -> Result<(), ReassError> {
        self.logged(path, || {
            let description = Description::open(path)?;
            match self.options.keep {
                true => self.beside(&description),
                false => self.in_place(&description),
            }
        })
    }

    /// Writes the file of the description at `path` to `out`. Verifies all chunks before it writes the
    /// first byte.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn stream(&self, path: &Path, out: &File) -> Result<(), ReassError> {
        self.logged(path, || self.pour(&Description::open(path)?, out))
    }

    /// Reads the description at `path`.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn describe(&self, path: &Path) -> Result<Description, ReassError> {
        Description::open(path).inspect_err(|error| self.log_error(path, error))
    }

    /// Logs the result.
    fn logged(
        &self,
        path: &Path,
        work: impl FnOnce() -> Result<(), ReassError>,
    ) -> Result<(), ReassError> {
        let done = if self.options.dry_run { event::Reass::DryRun } else { event::Reass::Done };
        work().inspect_err(|error| self.log_error(path, error))?;
        self.log.info(event::reass(done, path));
        Ok(())
    }

    fn log_error(&self, path: &Path, error: &ReassError) {
        let what = match error {
            // The command reports `Open` itself, and each wrong chunk was logged.
            ReassError::Open(_) | ReassError::Chunks => return,
            ReassError::Meta(MetaError::Magic(_)) => event::Reass::Failed,
            ReassError::Meta(_) | ReassError::TooMany => event::Reass::BadMeta,
            ReassError::Removing(_) => event::Reass::Removing,
            _ => event::Reass::Failed,
        };
        self.log.error(event::reass(what, path), error);
    }
}

/// The paths of all descriptions in and below `dir`, in order; empty if `dir` does not exist. Follows
/// no link. Includes every entry with a description's name; opening one that is not a regular file
/// fails. Calls `unread` for each directory that cannot be read, and continues with the others.
pub(crate) fn descriptions(dir: &Path, mut unread: impl FnMut(DiskError)) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        let mut look = || -> Result<(), DiskError> {
            left.extend(disk::entries(&dir, |kind| kind.is_dir())?);
            let files = disk::entries(&dir, |kind| !kind.is_dir())?;
            found.extend(
                files
                    .into_iter()
                    .filter(|path| path.as_os_str().as_bytes().ends_with(META_SUFFIX.as_bytes())),
            );
            Ok(())
        };
        if let Err(error) = look() {
            unread(error);
        }
    }
    found.sort();
    found
}
