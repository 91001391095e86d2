//! Free space, asked for before a packet of known size is written.

use super::{Spool, disk::reason};
use rustix::fs::statvfs;
use std::io;

/// A packet should not be begun.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// The spool's file system can not be asked: most likely the spool does not exist.
    #[error("Can not stat spool: {}", reason(.0))]
    Stat(io::Error),
    /// It would not fit.
    #[error("is not enough space")]
    NotEnough {
        /// Bytes wanted.
        need: u64,
        /// Bytes there are.
        free: u64,
    },
}

impl Spool {
    /// Bytes this process may still write to the spool.
    ///
    /// # Errors
    /// [`SpaceError::Stat`].
    pub fn free_space(&self) -> Result<u64, SpaceError> {
        let vfs = statvfs(self.root()).map_err(|error| SpaceError::Stat(error.into()))?;
        Ok(vfs.f_bavail.saturating_mul(vfs.f_frsize))
    }

    /// Checks that `need` bytes fit, and one more.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn room_for(&self, need: u64) -> Result<(), SpaceError> {
        let free = self.free_space()?;
        if free > need { Ok(()) } else { Err(SpaceError::NotEnough { need, free }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{log::Log, spool::Options};

    #[test]
    fn what_does_not_fit_is_refused_in_the_references_words() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), Options::default(), Log::none());
        spool.room_for(1).unwrap();
        assert_eq!(spool.room_for(u64::MAX).unwrap_err().to_string(), "is not enough space");
        let spool = Spool::new(dir.path().join("no"), Options::default(), Log::none());
        assert_eq!(
            spool.room_for(1).unwrap_err().to_string(),
            "Can not stat spool: no such file or directory"
        );
    }
}
