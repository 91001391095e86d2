//! Checks free space before a packet of known size is written.

use super::Spool;
use crate::display::reason;
use rustix::fs::statvfs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a packet cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// The spool cannot be created, or the free space of its file system is unknown.
    #[error(
        "Can not stat spool: {}: {}; make it for the user who runs packmule, or correct `spool` in the \
         configuration",
        path.display(),
        reason(cause)
    )]
    Stat {
        /// The spool.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// The packet does not fit.
    #[error("is not enough space: {need} bytes for {}, {free} are free", path.display())]
    NotEnough {
        /// The spool.
        path: PathBuf,
        /// Bytes needed.
        need: u64,
        /// Bytes free.
        free: u64,
    },
}

impl Spool {
    /// Bytes that this process can still write to the spool.
    ///
    /// # Errors
    /// [`SpaceError::Stat`].
    pub(crate) fn free_space(&self) -> Result<u64, SpaceError> {
        let vfs = statvfs(self.root()).map_err(|error| self.no_spool(error.into()))?;
        Ok(vfs.f_bavail.saturating_mul(vfs.f_frsize))
    }

    /// Creates a missing spool if its parent directory exists. The first packet then needs no extra
    /// step, and no spool appears below the mount point of a disk that is not mounted.
    ///
    /// # Errors
    /// [`SpaceError::Stat`].
    pub(crate) fn make(&self) -> Result<(), SpaceError> {
        let root = self.root();
        if root.symlink_metadata().is_err() && root.parent().is_some_and(is_directory) {
            self.disk().ensure_dir(root).map_err(|error| self.no_spool(error.cause))?;
        }
        Ok(())
    }

    /// Checks that more than `need` bytes are free. [Creates](Self::make) a missing spool.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub(crate) fn room_for(&self, need: u64) -> Result<(), SpaceError> {
        let free = match self.free_space() {
            Err(SpaceError::Stat { .. }) => {
                self.make()?;
                self.free_space()?
            }
            asked => asked?,
        };
        match free > need {
            true => Ok(()),
            false => Err(SpaceError::NotEnough { path: self.root().to_owned(), need, free }),
        }
    }

    fn no_spool(&self, cause: io::Error) -> SpaceError {
        SpaceError::Stat { path: self.root().to_owned(), cause }
    }
}

/// True for a directory. The empty parent of a relative name is the current directory.
fn is_directory(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::spool::Options;

    fn spool(root: PathBuf) -> Spool {
        Spool::new(root, Options::default(), Log::none())
    }

    #[test]
    fn what_does_not_fit_is_refused_with_size_and_place() {
        let dir = tempfile::tempdir().unwrap();
        let spool = spool(dir.path().to_owned());
        spool.room_for(1).unwrap();
        let error = spool.room_for(u64::MAX).unwrap_err().to_string();
        let want =
            format!("is not enough space: {} bytes for {}, ", u64::MAX, dir.path().display());
        assert!(error.starts_with(&want), "{error}");
    }

    #[test]
    fn a_spool_that_is_missing_is_made_where_the_directory_above_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let spool = spool(dir.path().join("spool"));
        assert!(spool.free_space().is_err(), "a look makes nothing");
        spool.room_for(1).unwrap();
        assert!(dir.path().join("spool").is_dir());
    }

    #[test]
    fn a_spool_that_can_not_be_made_is_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("not/mounted");
        let error = spool(root.clone()).room_for(1).unwrap_err().to_string();
        let want = format!("Can not stat spool: {}: no such file or directory; ", root.display());
        assert!(error.starts_with(&want) && error.contains("make it for the user"), "{error}");
        assert!(!dir.path().join("not").exists());
    }
}
