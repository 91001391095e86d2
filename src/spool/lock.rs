//! Locks for tossing, receiving and sending for a neighbour. The same files as in the reference.

use super::layout::LockKind;
use super::{Spool, Xx};
use crate::disk::{DiskError, Op, Result};
use crate::log::event;
use packmule_protocol::id::NodeId;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A lock, held until dropped. Its file stays: removing it would let two processes hold the lock.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn new(file: File) -> Self {
        Self { _file: file }
    }
}

impl Spool {
    /// Takes a lock; `None` if another process holds it. Logs that, and every error.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn lock(&self, node: &NodeId, kind: LockKind) -> Result<Option<Lock>> {
        let dir = self.dir(node, Xx::Rx);
        if let Err(error) = self.ensure_dir(&dir) {
            self.log().error(event::dir_ensure(&dir), &error);
            return Err(error);
        }
        let path = self.lock_path(node, kind);
        match self.try_lock(&path) {
            Ok(Some(file)) => Ok(Some(Lock::new(file))),
            Ok(None) => {
                let held = io::Error::from(Errno::AGAIN);
                self.log().error(event::lock_held(&path), &crate::display::reason(&held));
                Ok(None)
            }
            Err(error) => {
                self.log().error(event::lock_open(&path), &error);
                Err(error)
            }
        }
    }

    fn try_lock(&self, path: &Path) -> Result<Option<File>> {
        loop {
            let file = self.touch(path)?;
            match try_flock(&file) {
                Ok(true) if is_at(&file, path) => return Ok(Some(file)),
                // `nncp-rm -lock` removed the file before it was locked, so this lock guards nothing.
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(source) => {
                    return Err(DiskError { op: Op::Lock, path: path.to_owned(), cause: source });
                }
            }
        }
    }
}

/// Locks an open file without waiting. True if the lock was taken.
pub(super) fn try_flock(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// True if the open file still has this name.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let there = std::fs::symlink_metadata(path);
    let held = file.metadata();
    matches!((there, held), (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::spool::Options;

    const NODE: NodeId = NodeId([1; 32]);

    fn spool(dir: &tempfile::TempDir) -> Spool {
        Spool::new(dir.path(), Options::default(), Log::none())
    }

    #[test]
    fn a_lock_is_held_once() {
        let dir = tempfile::tempdir().unwrap();
        let lock = spool(&dir).lock(&NODE, LockKind::Toss).unwrap();
        assert!(lock.is_some());
        assert!(spool(&dir).lock(&NODE, LockKind::Toss).unwrap().is_none());
        assert!(spool(&dir).lock(&NODE, LockKind::Tx).unwrap().is_some());
        drop(lock);
        assert!(spool(&dir).lock(&NODE, LockKind::Toss).unwrap().is_some());
    }

    #[test]
    fn a_lock_whose_file_was_removed_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("x.lock")).unwrap();
        std::fs::remove_file(dir.path().join("x.lock")).unwrap();
        assert!(try_flock(&file).unwrap());
        assert!(!is_at(&file, &dir.path().join("x.lock")));
    }
}
