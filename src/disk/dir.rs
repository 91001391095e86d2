//! A directory that is held open: what is done in it goes by its descriptor, one name at a time, and
//! through no link.

use super::error::{Op, Result, at};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// An open directory. It stays the same while another is mounted over it, and is not unmounted while
/// it is open.
#[derive(Debug)]
pub(crate) struct OpenDir {
    fd: OwnedFd,
    /// Only shown.
    path: PathBuf,
}

impl OpenDir {
    /// Opens the directory at `path`, which our user names: links on the way to it are followed.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let opened = openat(CWD, path, DIRECTORY, Mode::empty()).map_err(io::Error::from);
        Ok(Self { fd: at(Op::Open, path, opened)?, path: path.to_owned() })
    }

    /// Opens the directory `name` in this one; it may not be a link.
    pub(crate) fn below(&self, name: impl AsRef<OsStr>) -> Result<Self> {
        let (name, path) = (name.as_ref(), self.path.join(name.as_ref()));
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        let opened = openat(&self.fd, name, flags, Mode::empty()).map_err(io::Error::from);
        Ok(Self { fd: at(Op::Open, &path, opened)?, path })
    }

    /// Opens what is called `name` for reading: not through a link, not waiting for a FIFO.
    pub(crate) fn read(&self, name: impl AsRef<OsStr>) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(&self.fd, name.as_ref(), flags, Mode::empty())?)
    }

    /// The names in it that are text, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let listed = || {
            let mut names = Vec::new();
            for entry in rustix::fs::Dir::read_from(&self.fd)? {
                if let Ok(name) = entry?.file_name().to_str()
                    && !matches!(name, "." | "..")
                {
                    names.push(name.to_owned());
                }
            }
            names.sort_unstable();
            Ok(names)
        };
        at(Op::Read, &self.path, listed())
    }

    /// Where it is, to be shown.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for OpenDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
