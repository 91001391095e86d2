//! Chunked files put together. NNCP manual, "nncp-reass".
//!
//! `description` reads `F.nncp.meta`, `pieces` finds and verifies what it describes, and
//! `assembly` makes `F` of it: in the space that the chunks have, and so that whatever stops it
//! can be gone on from. Names are made from that of the description and stay in its directory;
//! links are not followed and only regular files are touched.

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

/// What is done with a chunked file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Only verify it.
    pub dry_run: bool,
    /// Chunks and description stay.
    pub keep: bool,
}

/// Puts chunked files together.
#[derive(Clone, Copy)]
pub(crate) struct Reass<'a> {
    /// How files are made durable.
    pub disk: Disk,
    /// Where events go.
    pub log: &'a Log,
    /// Who watches.
    pub progress: &'a Progress,
    /// What to do.
    pub options: Options,
}

/// A chunked file was not put together. What was there is still there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReassError {
    /// The description can not be opened.
    #[error("Can not open file: {0}")]
    Open(DiskError),
    /// Another process is at it.
    #[error("another process puts it together")]
    Busy,
    /// The description is not one of a file that could be put together.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// It has more chunks than anybody needs.
    #[error("more than {} chunks", description::CHUNKS_MAX)]
    TooMany,
    /// The description's name does not end as it has to, or leaves no name for the file.
    #[error("invalid filename suffix")]
    Suffix,
    /// Chunks are missing or wrong, as was logged.
    #[error("chunks are missing or wrong")]
    Chunks,
    /// A file has the name under which the whole grows, and is not the beginning of it.
    #[error("{}: is in the way", .0.display())]
    InTheWay(PathBuf),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The description could not be removed from beside the finished file.
    #[error(transparent)]
    Removing(DiskError),
    /// The whole could not be written to a stream.
    #[error("{0}")]
    Stream(io::Error),
}

impl Reass<'_> {
    /// Puts the file that the description at `path` describes together, beside it.
    ///
    /// # Errors
    /// [`ReassError`]; all but [`ReassError::Open`] were logged.
    pub(crate) fn file(&self, path: &Path) -> Result<(), ReassError> {
        self.told(path, || {
            let description = Description::open(path)?;
            match self.options.keep {
                true => self.beside(&description),
                false => self.in_place(&description),
            }
        })
    }

    /// Writes the file that the description at `path` describes to `out`, nothing of it before all
    /// is verified.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn stream(&self, path: &Path, out: &File) -> Result<(), ReassError> {
        self.told(path, || self.pour(&Description::open(path)?, out))
    }

    /// Reads the description at `path`.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn describe(&self, path: &Path) -> Result<Description, ReassError> {
        Description::open(path).inspect_err(|error| self.tell(path, error))
    }

    /// Logs how it went.
    fn told(
        &self,
        path: &Path,
        work: impl FnOnce() -> Result<(), ReassError>,
    ) -> Result<(), ReassError> {
        let done = if self.options.dry_run { event::Reass::DryRun } else { event::Reass::Done };
        work().inspect_err(|error| self.tell(path, error))?;
        self.log.info(event::reass(done, path));
        Ok(())
    }

    fn tell(&self, path: &Path, error: &ReassError) {
        let what = match error {
            // The command says it itself, or it was said for each chunk.
            ReassError::Open(_) | ReassError::Chunks => return,
            ReassError::Meta(MetaError::Magic(_)) => event::Reass::Failed,
            ReassError::Meta(_) | ReassError::TooMany => event::Reass::BadMeta,
            ReassError::Removing(_) => event::Reass::Removing,
            _ => event::Reass::Failed,
        };
        self.log.error(event::reass(what, path), error);
    }
}

/// The descriptions in `dir` and in all directories below it, by path. None at all if it does not
/// exist. Links are not followed. What is called so and is no file is refused when it is opened.
/// `unread` is told of every directory that can not be read; the others are searched all the same.
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
