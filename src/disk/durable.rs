//! Makes files survive a power cut, also on a file system without a journal.
//!
//! There, a sync writes only one inode and its data. So:
//!
//! - a name is durable once its inode was synced **after** it got its links, and then the directory;
//! - a new directory is synced before its parent: if a name is on disk without its inode, fsck
//!   removes the name, or it refers to another file.
//!
//! FAT has no inodes: where a file begins and how long it is stands beside its name. A file that gets
//! another name is empty on the disk, under the new one, until the file is written out once more. So
//! there the whole file system is synced in place of a directory: that is one wait for many names.
//!
//! A failed sync must not be repeated. Linux drops the pages it could not write and reports that only
//! once: the next sync succeeds, in any process, although the page cache holds bytes that are not on
//! disk. So packmule removes a file that it could not sync before another process can see it, and
//! [reads files of earlier processes from the disk](Disk::read_back) before it relies on them.

use super::at::{At, parent};
use super::dir::OpenDir;
use super::error::{Op, Result, at};
use super::ops::{Disk, open};
use super::step::step;
use rustix::fs::{Advice, FsWord, Mode, OFlags, fadvise, fstatfs, fsync, mkdirat, syncfs};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

impl Disk {
    /// Syncs a file: on return its bytes survive a power cut.
    ///
    /// # Errors
    /// Those of the disk. Bytes may then be lost.
    pub(crate) fn sync(self, file: &File, path: &Path) -> Result<()> {
        if !self.sync {
            return Ok(());
        }
        at(Op::Sync, path, step().and_then(|()| Ok(fsync(file)?)))
    }

    /// Syncs a file, and removes it if that fails.
    ///
    /// # Errors
    /// Those of the disk. The file is removed.
    pub(crate) fn sync_or_remove(self, file: &File, path: &Path) -> Result<()> {
        self.sync(file, path).inspect_err(|_| {
            // If the removal fails too, the next process reads the file back before it relies on it.
            let _ = self.remove_if_there(path);
        })
    }

    /// Syncs a file that another process may have written, and drops it from the page cache, so that
    /// the next reader gets the bytes that are on disk.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn read_back(self, file: &File, path: &Path) -> Result<()> {
        self.sync(file, path)?;
        if self.sync {
            // After a sync no page is dirty, so the kernel can drop all of them.
            let _ = fadvise(file, 0, None, Advice::DontNeed);
        }
        Ok(())
    }

    /// Does the same for a stream if it is a file.
    ///
    /// # Errors
    /// Those of the file that it is.
    pub(crate) fn read_back_stream(self, stream: &File) -> io::Result<()> {
        self.sync_stream(stream)?;
        if self.sync {
            let _ = fadvise(stream, 0, None, Advice::DontNeed);
        }
        Ok(())
    }

    /// Waits until what was written to a stream, or read from it, would survive a power cut. Does
    /// nothing for pipes and tapes.
    ///
    /// # Errors
    /// Those of the file that it is.
    pub(crate) fn sync_stream(self, stream: &File) -> io::Result<()> {
        if !self.sync {
            return Ok(());
        }
        match fsync(stream) {
            Ok(()) | Err(Errno::INVAL | Errno::ROFS | Errno::NOTSUP) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits until the names in a directory would survive a power cut.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn sync_dir(self, dir: &Path) -> Result<()> {
        if !self.sync {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        at(Op::SyncDir, dir, step().and_then(|()| Ok(sync_names(open(dir, flags)?)?)))
    }

    /// Does the same for an open directory.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn sync_open_dir(self, dir: &OpenDir) -> Result<()> {
        if !self.sync {
            return Ok(());
        }
        at(Op::SyncDir, dir.path(), step().and_then(|()| Ok(sync_names(dir)?)))
    }

    /// Waits until everything that was written to the file system that `dir` is on would survive a
    /// power cut: for a tree of many small files, once instead of for each.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn sync_all_at(self, dir: &Path) -> Result<()> {
        if !self.sync {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        at(Op::Sync, dir, step().and_then(|()| Ok(syncfs(open(dir, flags)?)?)))
    }

    /// Makes a directory and those above it, each durable before the one below it.
    ///
    /// # Errors
    /// Those of the disk. A directory that is not durable is not left behind.
    pub(crate) fn ensure_dir(self, dir: &Path) -> Result<()> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().unwrap_or(Path::new("/"));
        self.ensure_dir(parent)?;
        match self.make_dir(dir)? {
            true => self.sync_new_dir(dir).inspect_err(|_| {
                let _ = self.remove_dir(dir);
            }),
            // Another process was faster.
            false if dir.is_dir() => Ok(()),
            false => at(Op::Mkdir, dir, Err(Errno::EXIST.into())),
        }
    }

    /// Makes a directory; false if something has its name already.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn make_dir<'a>(self, name: impl Into<At<'a>>) -> Result<bool> {
        let name = name.into();
        let (dir, file) = name.parts();
        let made = step().and_then(|()| Ok(mkdirat(dir, file, Mode::from_raw_mode(0o777))?));
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => at(Op::Mkdir, &name.shown(), made.map(|()| true)),
        }
    }

    fn sync_new_dir(self, dir: &Path) -> Result<()> {
        self.sync_dir(dir)?;
        self.sync_dir(&parent(dir))
    }
}

/// Waits until the names in a directory, and the files that have got them, would survive a power cut.
fn sync_names(dir: impl AsFd) -> rustix::io::Result<()> {
    match fstatfs(&dir) {
        Ok(found) if is_fat(found.f_type) => syncfs(dir),
        _ => fsync(dir),
    }
}

/// Whether a type of file system, as statfs(2) has it, is FAT: MSDOS_SUPER_MAGIC.
fn is_fat(kind: FsWord) -> bool {
    kind == 0x4d44
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault::{self, Fault};

    const DISK: Disk = Disk { sync: true };

    #[test]
    fn directories_are_made_with_those_above() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        DISK.ensure_dir(&deep).unwrap();
        DISK.ensure_dir(&deep).unwrap();
        assert!(deep.is_dir());
    }

    #[test]
    fn a_directory_that_could_not_be_synced_is_not_taken_for_durable_later() {
        for at in [1, 2] {
            let dir = tempfile::tempdir().unwrap();
            let new = dir.path().join("a");
            let fault = Fault::Fail(Errno::IO);
            let (made, reached) = fault::with(fault, at, || DISK.ensure_dir(&new));
            assert!(reached && made.is_err() && !new.exists(), "{at}");
        }
    }

    #[test]
    fn a_file_that_could_not_be_synced_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let file = DISK.create_new(&path).unwrap();
        DISK.sync_or_remove(&file, &path).unwrap();
        let fault = Fault::Fail(Errno::IO);
        let (synced, _) = fault::with(fault, 0, || DISK.sync_or_remove(&file, &path));
        assert!(synced.is_err() && !path.exists());
    }
}
