//! The content of a file packet: a file, a directory as a tar, or a stream.

use super::tar;
use crate::blocks::Fused;
use crate::display::reason;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Content to send.
pub struct Source {
    /// The content.
    pub(crate) content: Fused<Box<dyn Read + Send>>,
    /// Its size in bytes, if it is known in advance.
    pub(crate) size: Option<u64>,
    /// It is a directory as a tar.
    pub(crate) is_tar: bool,
}

/// Why a path cannot be sent.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The path does not exist, or cannot be opened.
    #[error("stat {}: {}", .path.display(), reason(.error))]
    Open {
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
    /// The path is a device, a socket or a FIFO.
    #[error("{}: unsupported file type", .0.display())]
    Kind(PathBuf),
}

impl Source {
    /// A stream of unknown length.
    pub fn stream(content: impl Read + Send + 'static) -> Self {
        Self::new(content, None, false)
    }

    /// Bytes in memory.
    pub fn bytes(content: Vec<u8>) -> Self {
        let size = Some(content.len() as u64);
        Self::new(io::Cursor::new(content), size, false)
    }

    fn new(content: impl Read + Send + 'static, size: Option<u64>, is_tar: bool) -> Self {
        Self { content: Fused::new(Box::new(content)), size, is_tar }
    }

    /// A regular file, or a directory as a tar. Follows links in the path.
    ///
    /// # Errors
    /// If it cannot be opened or is of another type.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        // Non-blocking, so that a FIFO without a writer is rejected instead of waited for.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|errno| match errno {
                rustix::io::Errno::NXIO => SourceError::Kind(path.into()),
                _ => SourceError::Open { path: path.into(), error: errno.into() },
            })?;
        let name = super::path::base_name(super::path::bytes(path));
        Self::from_fd(fd, path, &name)
    }

    /// The content of the descriptor `fd`, opened at `path`. In a tar, `name` is the first
    /// component of all names.
    pub(crate) fn from_fd(fd: OwnedFd, path: &Path, name: &[u8]) -> Result<Self, SourceError> {
        let failed = |error: io::Error| SourceError::Open { path: path.into(), error };
        let stat = rustix::fs::fstat(&fd).map_err(|errno| failed(errno.into()))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                Ok(Self::new(File::from(fd), u64::try_from(stat.st_size).ok(), false))
            }
            FileType::Directory => {
                let archive = tar::Archive::of(fd, name).map_err(failed)?;
                let size = Some(archive.len());
                Ok(Self::new(archive, size, true))
            }
            _ => Err(SourceError::Kind(path.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(matches!(Source::open(&fifo), Err(SourceError::Kind(_))));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = Source::open(Path::new("/nonexistent/x")).err().unwrap();
        assert!(error.to_string().contains("/nonexistent/x"), "{error}");
    }

    #[test]
    fn the_end_of_every_source_stays_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log");
        std::fs::write(&file, "line\n").unwrap();
        let mut growing = Source::open(&file).unwrap();
        growing.content.read_to_end(&mut Vec::new()).unwrap();
        std::fs::write(&file, "line\nanother\n").unwrap();
        assert_eq!(growing.content.read(&mut [0; 99]).unwrap(), 0, "what came later is not sent");
        let terminal = Source::stream(crate::blocks::Again::new(b"typed"));
        for source in [Source::open(dir.path()).unwrap(), Source::bytes(vec![1; 99]), terminal] {
            crate::blocks::ends_for_good(source.content);
        }
    }
}
