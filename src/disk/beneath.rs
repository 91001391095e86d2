//! Opens files in a tree: never outside it, never through a link, never blocking.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, openat, openat2, statat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Maximal length of a path that is resolved in one step.
const PATH: usize = 4000;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens the root of a tree. Follows links on the way, because the user chose the path.
pub(crate) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Opens the directory `path` (`a/b`, or nothing for the root) below `root`.
///
/// No component may be a link, not even one that was a directory a moment ago.
pub(crate) fn open_dir(root: impl AsFd, path: &[u8]) -> io::Result<OwnedFd> {
    let mut rest = path;
    let mut at: Option<OwnedFd> = None;
    loop {
        let (piece, after) = split(rest);
        let piece = if piece.is_empty() { b"." } else { piece };
        let next = match &at {
            Some(at) => open_beneath(at, piece)?,
            None => open_beneath(&root, piece)?,
        };
        match after {
            Some(after) => (at, rest) = (Some(next), after),
            None => return Ok(next),
        }
    }
}

/// Splits off as many components as can be resolved in one step.
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    if path.len() <= PATH {
        return (path, None);
    }
    match path[..PATH].iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        // A single name longer than `PATH`: let the kernel reject it.
        None => (path, None),
    }
}

fn open_beneath(dir: impl AsFd, path: &[u8]) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(&dir, OsStr::from_bytes(path), DIRECTORY, Mode::empty(), resolve) {
        Ok(opened) => Ok(opened),
        // An old kernel, a sandbox without openat2, or a concurrent rename that the kernel could
        // not distinguish from an escape.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => open_by_hand(dir, path),
        Err(error) => Err(error.into()),
    }
}

/// Like `open_beneath`, but opens one component after the other.
fn open_by_hand(dir: impl AsFd, path: &[u8]) -> io::Result<OwnedFd> {
    let mut at = openat(dir, ".", DIRECTORY, Mode::empty())?;
    for name in path.split(|byte| *byte == b'/').filter(|name| *name != b".") {
        if name == b".." {
            return Err(Errno::XDEV.into());
        }
        at = openat(&at, OsStr::from_bytes(name), DIRECTORY, Mode::empty())?;
    }
    Ok(at)
}

/// The status of `name` in a directory. Does not follow a link.
pub(crate) fn stat(dir: impl AsFd, name: &[u8]) -> io::Result<Stat> {
    Ok(statat(dir, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Opens a regular file and returns its status. Rejects everything else; does not block on a pipe.
pub(crate) fn open_file(dir: impl AsFd, name: &[u8]) -> io::Result<(OwnedFd, Stat)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat(dir, OsStr::from_bytes(name), flags | OFlags::CLOEXEC, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if is_file(&stat) { Ok((file, stat)) } else { Err(replaced()) }
}

/// True for a regular file.
pub(crate) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// True if both statuses are of the same object.
pub(crate) fn same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// The error if another object has replaced an object.
pub(crate) fn replaced() -> io::Error {
    io::Error::other("it was replaced while it was being read")
}

/// The target of a symbolic link.
pub(crate) fn read_link(dir: impl AsFd, name: &[u8]) -> io::Result<Box<[u8]>> {
    let target = rustix::fs::readlinkat(dir, OsStr::from_bytes(name), Vec::new())?;
    Ok(target.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn directories_are_opened_below_the_root_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        symlink("a", dir.path().join("link")).unwrap();
        let root = open_root(dir.path()).unwrap();
        for open in [open_beneath, open_by_hand] {
            let opens = |path: &str| open(root.as_fd(), path.as_bytes()).is_ok();
            assert!(opens(".") && opens("a") && opens("a/b"));
            assert!(!opens("link") && !opens("link/b") && !opens(".."));
            assert!(!opens("a/../..") && !opens("a/c"));
        }
        assert!(open_beneath(&root, b"/").is_err());
        assert!(open_dir(&root, b"").is_ok());
    }

    #[test]
    fn paths_beyond_the_kernels_limit_are_opened_in_steps() {
        let dir = tempfile::tempdir().unwrap();
        let root = open_root(dir.path()).unwrap();
        let name = "n".repeat(200);
        let mut at = open_dir(&root, b"").unwrap();
        for _ in 0..50 {
            rustix::fs::mkdirat(&at, &*name, Mode::RWXU).unwrap();
            at = open_dir(&at, name.as_bytes()).unwrap();
        }
        let path = vec![name; 50].join("/");
        assert!(open_dir(&root, path.as_bytes()).is_ok());
    }

    #[test]
    fn a_pipe_where_a_file_was_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "x").unwrap();
        let root = open_root(dir.path()).unwrap();
        assert!(open_file(&root, b"f").is_ok());
        std::fs::remove_file(dir.path().join("f")).unwrap();
        rustix::fs::mknodat(&root, "f", FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(open_file(&root, b"f").is_err());
        std::fs::remove_file(dir.path().join("f")).unwrap();
        symlink("/etc/passwd", dir.path().join("f")).unwrap();
        assert!(open_file(&root, b"f").is_err());
    }
}
