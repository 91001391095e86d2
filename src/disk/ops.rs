//! What changes the disk: create, write, rename, link, unlink. Few operations, so that tests can stop the
//! node at each of them; syncing is one of them, in `durable.rs`.

use super::at::At;
use super::error::{Op, Result, at};
use super::open::NotRegular;
use super::step::step;
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The disk, synced or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk {
    /// True: wait until data that must survive a power cut is on disk.
    pub sync: bool,
}

impl Disk {
    /// Creates a file that must not exist yet, for writing and reading back.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] among others.
    pub(crate) fn create_new<'a>(self, name: impl Into<At<'a>>) -> Result<File> {
        let name = name.into();
        let (dir, file) = name.parts();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let create = || Ok(openat(dir, file, flags, Mode::from_raw_mode(0o666))?.into());
        at(Op::Create, &name.shown(), step().and_then(|()| create()))
    }

    /// Creates an empty file. Keeps an existing one.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn touch(self, path: &Path) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        at(Op::Create, path, step().and_then(|()| open(path, flags | OFlags::NONBLOCK)))
    }

    /// Opens an existing regular file for reading and writing. Returns it with its length. Follows no
    /// link.
    ///
    /// # Errors
    /// [`NotRegular`] inside of the error, or those of the disk.
    pub(crate) fn open_writable(self, path: &Path) -> Result<(File, u64)> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = || {
            let file = match open(path, flags) {
                Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                    return Err(io::Error::other(NotRegular));
                }
                other => other?,
            };
            let metadata = file.metadata()?;
            match metadata.is_file() {
                true => Ok((file, metadata.len())),
                false => Err(io::Error::other(NotRegular)),
            }
        };
        at(Op::Open, path, opened())
    }

    /// Cuts or extends a file to `len` bytes.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn set_len(self, file: &File, path: &Path, len: u64) -> Result<()> {
        at(Op::Write, path, step().and_then(|()| file.set_len(len)))
    }

    /// Copies up to `len` bytes to the current position of the file at `path`, inside the kernel if it
    /// supports that. Returns the number of bytes copied.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn copy(
        self,
        from: &mut io::Take<File>,
        mut to: &File,
        path: &Path,
        len: u64,
    ) -> Result<u64> {
        let copied = step().and_then(|()| io::copy(&mut from.take(len), &mut to));
        at(Op::Write, path, copied)
    }

    /// Writes all of `bytes` at the file's current position.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write(self, mut file: &File, path: &Path, bytes: &[u8]) -> Result<()> {
        at(Op::Write, path, step().and_then(|()| file.write_all(bytes)))
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write_at(
        self,
        file: &File,
        path: &Path,
        bytes: &[u8],
        offset: u64,
    ) -> Result<()> {
        at(Op::Write, path, step().and_then(|()| file.write_all_at(bytes, offset)))
    }

    /// Renames a file. Replaces an existing file.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn rename<'a, 'b>(
        self,
        from: impl Into<At<'a>>,
        to: impl Into<At<'b>>,
    ) -> Result<()> {
        let (from, to) = (from.into(), to.into());
        let ((from, old), (dir, new)) = (from.parts(), to.parts());
        let rename = || Ok(renameat(from, old, dir, new)?);
        at(Op::Rename, &to.shown(), step().and_then(|()| rename()))
    }

    /// Renames a file. Replaces nothing.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something has it; then nothing changed.
    pub(crate) fn rename_new<'a, 'b>(
        self,
        from: impl Into<At<'a>>,
        to: impl Into<At<'b>>,
    ) -> Result<()> {
        let (from, to) = (from.into(), to.into());
        at(Op::Rename, &to.shown(), step().and_then(|()| Ok(rename_new(from.parts(), to.parts())?)))
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken.
    pub(crate) fn symlink(self, target: &Path, link: &Path) -> Result<()> {
        at(Op::Link, link, step().and_then(|()| std::os::unix::fs::symlink(target, link)))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn remove<'a>(self, name: impl Into<At<'a>>) -> Result<()> {
        self.unlink(&name.into(), AtFlags::empty())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn remove_dir<'a>(self, name: impl Into<At<'a>>) -> Result<()> {
        self.unlink(&name.into(), AtFlags::REMOVEDIR)
    }

    fn unlink(self, name: &At<'_>, flags: AtFlags) -> Result<()> {
        let (dir, file) = name.parts();
        at(Op::Remove, &name.shown(), step().and_then(|()| Ok(unlinkat(dir, file, flags)?)))
    }

    /// Removes a file that may already be gone. True if it existed.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn remove_if_there<'a>(self, name: impl Into<At<'a>>) -> Result<bool> {
        match self.remove(name) {
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(false),
            other => other.map(|()| true),
        }
    }
}

fn rename_new(
    (from, old): (BorrowedFd<'_>, &Path),
    (to, new): (BorrowedFd<'_>, &Path),
) -> rustix::io::Result<()> {
    match renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        // Some file systems lack RENAME_NOREPLACE. On these, link and unlink have the same effect.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            linkat(from, old, to, new, AtFlags::empty())?;
            unlinkat(from, old, AtFlags::empty())
        }
        other => other,
    }
}

pub(super) fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    Ok(File::from(openat(CWD, path, flags, Mode::from_raw_mode(0o666))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Disk = Disk { sync: true };

    #[test]
    fn a_new_name_never_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&from, "a").unwrap();
        std::fs::write(&to, "b").unwrap();
        let error = DISK.rename_new(&from, &to).unwrap_err();
        assert_eq!(error.cause.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "b");
    }
}
