//! Files that a node keeps beside its packets: replaced as a whole, or growing at their end.

use super::lock::is_at;
use super::tmp::TmpFile;
use super::{Lock, Spool};
use crate::disk::{Disk, DiskError, Op, Result, parent};
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// New content of a file, being written. Dropped, it vanishes, and the file keeps its old content.
#[derive(Debug)]
pub(crate) struct Replacement {
    spool: Spool,
    tmp: TmpFile,
    path: PathBuf,
}

/// A file that grows at its end, open for reading and writing.
#[derive(Debug)]
pub(crate) struct Growing {
    disk: Disk,
    file: File,
    path: PathBuf,
    len: u64,
}

impl Spool {
    /// Begins new content for the file at `path`, which need not exist.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn replacement(&self, path: &Path) -> Result<Replacement> {
        Ok(Replacement { spool: self.clone(), tmp: self.tmp_file()?, path: path.to_owned() })
    }

    /// Replaces the content of the file at `path`. Durable on return; directories are created.
    ///
    /// # Errors
    /// Those of the disk. The file has its old content then, or the new one if only the sync of
    /// its directory failed.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut replacement = self.replacement(path)?;
        replacement.write(bytes)?;
        replacement.commit()
    }

    /// Opens the file at `path`, or creates an empty one with the directories above it.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn growing(&self, path: &Path) -> Result<Growing> {
        let dir = parent(path);
        if path.symlink_metadata().is_err() {
            self.ensure_dir(&dir)?;
            self.touch(path)?;
        }
        let disk = self.disk();
        let (file, len) = disk.open_writable(path)?;
        if len == 0 {
            // Whoever created it may not have come so far.
            disk.sync_dir(&dir)?;
        }
        Ok(Growing { disk, file, path: path.to_owned(), len })
    }

    /// Takes the lock at `path`, and waits for whoever holds it: only for single operations.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn wait_for_lock(&self, path: &Path) -> Result<Lock> {
        self.ensure_dir(&parent(path))?;
        loop {
            let file = self.touch(path)?;
            let locked = retry_on_intr(|| flock(&file, FlockOperation::LockExclusive));
            locked.map_err(|errno| error(Op::Lock, path, errno))?;
            if is_at(&file, path) {
                return Ok(Lock::new(file));
            }
        }
    }
}

impl Replacement {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.tmp.write(bytes)
    }

    /// Puts the content in place. See [`Spool::replace`].
    ///
    /// # Errors
    /// The same.
    pub(crate) fn commit(self) -> Result<()> {
        let Self { spool, tmp, path } = self;
        tmp.sync()?;
        let dir = parent(&path);
        spool.ensure_dir(&dir)?;
        tmp.rename(&path).map_err(|(_, error)| error)?;
        spool.disk().sync_dir(&dir)
    }
}

impl Growing {
    /// Its bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The file, to read from.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Waits until what other processes wrote is on disk, and lets the next reader get it from there.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn read_back(&self) -> Result<()> {
        self.disk.read_back(&self.file, &self.path)
    }

    /// Reads `into.len()` bytes at `offset`, or fewer where the file ends; how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        read_at(&self.file, &self.path, offset, into)
    }

    /// Appends `bytes`, durably. After an error the file is as before, if the disk allows it.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self
            .disk
            .write_at(&self.file, &self.path, bytes, self.len)
            .and_then(|()| self.disk.sync(&self.file, &self.path));
        if let Err(error) = written {
            // What was not synced must not count later.
            let _ = self.disk.set_len(&self.file, &self.path, self.len);
            return Err(error);
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Removes what follows the first `len` bytes: the rest of an append that was interrupted.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn truncate(&mut self, len: u64) -> Result<()> {
        self.disk.set_len(&self.file, &self.path, len)?;
        self.len = len;
        Ok(())
    }

    /// Replaces bytes that are there. Not synced.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.disk.write_at(&self.file, &self.path, bytes, offset)
    }

    /// Waits until replaced bytes would survive a power cut.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        self.disk.sync(&self.file, &self.path)
    }
}

/// Reads at `offset` until `into` is full or the file ends; how many bytes.
///
/// # Errors
/// Those of the disk.
pub(crate) fn read_at(file: &File, path: &Path, offset: u64, into: &mut [u8]) -> Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(more) => done += more,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(DiskError { op: Op::Read, path: path.to_owned(), cause }),
        }
    }
    Ok(done)
}

fn error(op: Op, path: &Path, errno: Errno) -> DiskError {
    DiskError { op, path: path.to_owned(), cause: errno.into() }
}

#[cfg(test)]
mod tests {
    use crate::disk::fault::{self, Fault};
    use crate::spool::testing::TestSpool;

    #[test]
    fn stopped_at_any_step_a_replaced_file_is_old_or_new() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let path = test.spool.ledger_dir().join("a/b");
            test.spool.replace(&path, b"old").unwrap();
            let (replaced, reached) =
                fault::with(fault, at, || test.spool.replace(&path, b"new content"));
            let found = std::fs::read(&path).unwrap();
            let whole = found == b"old" || found == b"new content";
            assert!(whole && (replaced.is_err() || found == b"new content"), "{fault:?} at {at}");
            let tmp = std::fs::read_dir(test.path("tmp")).unwrap().count();
            assert!(tmp == 0 || fault == Fault::Kill, "{fault:?} at {at}");
            reached
        });
    }

    #[test]
    fn stopped_at_any_step_a_growing_file_has_what_it_had() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let path = test.spool.ledger_dir().join("list");
            test.spool.growing(&path).unwrap().append(b"one\n").unwrap();
            let append = || test.spool.growing(&path)?.append(b"two\n");
            let (appended, reached) = fault::with(fault, at, append);
            let found = std::fs::read(&path).unwrap();
            assert!(found.starts_with(b"one\n"), "{fault:?} at {at}");
            match fault {
                Fault::Kill => assert!(appended.is_err() || found == b"one\ntwo\n"),
                Fault::Fail(_) => assert_eq!(appended.is_ok(), found == b"one\ntwo\n", "{at}"),
            }
            reached
        });
    }

    #[test]
    fn a_lock_is_waited_for() {
        let test = TestSpool::new();
        let path = test.spool.ledger_dir().join("busy");
        let held = test.spool.wait_for_lock(&path).unwrap();
        let (spool, other) = (test.spool.clone(), path.clone());
        let waiter = std::thread::spawn(move || spool.wait_for_lock(&other).map(drop));
        drop(held);
        waiter.join().unwrap().unwrap();
    }
}
