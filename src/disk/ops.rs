//! What changes the disk by a path: create, write, rename, link, unlink. Few operations, so that
//! tests can stop the node at each of them; syncing is one of them, in `durable.rs`. Below a directory whose names others choose,
//! `confined.rs` and `media/xfer` go by descriptors and make the calls themselves.

use rustix::{
    fs::{
        Advice, AtFlags, CWD, Mode, OFlags, RenameFlags, fadvise, linkat, openat, renameat_with,
        unlinkat,
    },
    io::Errno,
    path::Arg,
};
use std::{
    fmt,
    fs::{File, FileType, Metadata},
    io::{self, Read, Write},
    num::NonZeroU64,
    os::{fd::AsFd, unix::fs::FileExt},
    path::{Path, PathBuf},
};

/// What was done to a path when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Opened.
    Open,
    /// Created.
    Create,
    /// Written to.
    Write,
    /// Synced.
    Sync,
    /// Created, a directory.
    Mkdir,
    /// Given another name.
    Rename,
    /// Given one more name.
    Link,
    /// Removed.
    Remove,
    /// Read.
    Read,
    /// Looked at.
    Stat,
    /// Locked.
    Lock,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open | Self::Create => "open",
            Self::Write => "write",
            Self::Sync => "fsync",
            Self::Mkdir => "mkdir",
            Self::Rename => "rename",
            Self::Link => "link",
            Self::Remove => "remove",
            Self::Read => "read",
            Self::Stat => "stat",
            Self::Lock => "locking",
        })
    }
}

/// The disk refused.
#[derive(Debug, thiserror::Error)]
#[error("{op} {}: {}", path.display(), crate::display::reason(cause))]
pub struct DiskError {
    /// What was done.
    pub op: Op,
    /// To which path.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl DiskError {
    /// The same once more, for the next thing that it struck.
    pub(crate) fn again(&self) -> Self {
        let cause = match self.cause.raw_os_error() {
            Some(errno) => io::Error::from_raw_os_error(errno),
            None => io::Error::new(self.cause.kind(), self.cause.to_string()),
        };
        Self { op: self.op, path: self.path.clone(), cause }
    }
}

impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        Self::new(error.cause.kind(), error)
    }
}

/// A result of the disk.
pub type Result<T> = std::result::Result<T, DiskError>;

pub(super) fn at<T>(op: Op, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|cause| DiskError { op, path: path.to_owned(), cause })
}

/// The disk, synced or not.
#[derive(Debug, Clone, Copy)]
pub struct Disk {
    /// Whether what must survive a power cut is waited for.
    pub sync: bool,
}

impl Disk {
    /// Creates a file that must not exist yet, for writing and reading back.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] among others.
    pub fn create_new(self, path: &Path) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        at(Op::Create, path, step().and_then(|()| open(path, flags)))
    }

    /// Creates an empty file, or leaves the one that is there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn touch(self, path: &Path) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        at(Op::Create, path, step().and_then(|()| open(path, flags | OFlags::NONBLOCK)))
    }

    /// Opens a regular file that is there, for reading and writing; its length. Links are not
    /// followed.
    ///
    /// # Errors
    /// [`NotRegular`] inside of the error, or those of the disk.
    pub fn open_writable(self, path: &Path) -> Result<(File, u64)> {
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
    pub fn set_len(self, file: &File, path: &Path, len: u64) -> Result<()> {
        at(Op::Write, path, step().and_then(|()| file.set_len(len)))
    }

    /// Copies up to `len` bytes to the position of the file at `path`, in the kernel where it can;
    /// how many there were.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn copy(
        self,
        from: &mut io::Take<File>,
        mut to: &File,
        path: &Path,
        len: u64,
    ) -> Result<u64> {
        let copied = step().and_then(|()| io::copy(&mut from.take(len), &mut to));
        at(Op::Write, path, copied)
    }

    /// Writes all of `bytes` at the file's position.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(self, mut file: &File, path: &Path, bytes: &[u8]) -> Result<()> {
        at(Op::Write, path, step().and_then(|()| file.write_all(bytes)))
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write_at(self, file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<()> {
        at(Op::Write, path, step().and_then(|()| file.write_all_at(bytes, offset)))
    }

    /// Begins to write `len` bytes at `offset` out, and waits for nothing: less is left for the
    /// [sync](Self::sync) that follows. Linux starts writing what it is told is not needed.
    pub fn write_out(self, file: impl AsFd, offset: u64, len: u64) {
        if self.sync
            && let Some(len) = NonZeroU64::new(len)
        {
            // Nothing depends on it.
            let _ = fadvise(file, offset, Some(len), Advice::DontNeed);
        }
    }

    /// Gives a file another name, in place of whatever has that name.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn rename(self, from: &Path, to: &Path) -> Result<()> {
        at(Op::Rename, to, step().and_then(|()| std::fs::rename(from, to)))
    }

    /// Gives a file a name that nothing has yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something has it; then nothing changed.
    pub fn rename_new(self, from: &Path, to: &Path) -> Result<()> {
        at(Op::Rename, to, step().and_then(|()| Ok(rename_new((CWD, from), (CWD, to))?)))
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something has its name.
    pub fn symlink(self, target: &Path, link: &Path) -> Result<()> {
        at(Op::Link, link, step().and_then(|()| std::os::unix::fs::symlink(target, link)))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove(self, path: &Path) -> Result<()> {
        at(Op::Remove, path, step().and_then(|()| std::fs::remove_file(path)))
    }

    /// Removes a file that may be gone already; whether it was there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove_if_there(self, path: &Path) -> Result<bool> {
        match self.remove(path) {
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(false),
            other => other.map(|()| true),
        }
    }
}

/// Begins to write a file out while it is still growing, a piece at a time.
#[derive(Debug, Default)]
pub struct WriteOut {
    begun: u64,
    end: u64,
}

impl WriteOut {
    /// Large enough for the disk to be busy with, small enough that little is left at the end.
    pub(crate) const PIECE: u64 = 8 << 20;

    /// `file` has grown by `len` bytes.
    pub fn grown(&mut self, disk: Disk, file: impl AsFd, len: u64) {
        self.end += len;
        if self.end - self.begun >= Self::PIECE {
            self.rest(disk, file);
        }
    }

    /// No more comes: what is left is begun too.
    pub fn rest(&mut self, disk: Disk, file: impl AsFd) {
        disk.write_out(file, self.begun, self.end - self.begun);
        self.begun = self.end;
    }
}

/// Gives a file in one directory a name in another that nothing has yet.
///
/// # Errors
/// [`Errno::EXIST`] when something has it; then nothing changed.
pub fn rename_new(
    (from, old): (impl AsFd, impl Arg + Copy),
    (to, new): (impl AsFd, impl Arg + Copy),
) -> rustix::io::Result<()> {
    match renameat_with(&from, old, &to, new, RenameFlags::NOREPLACE) {
        // Not every file system has this; those have links instead.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            linkat(&from, old, &to, new, AtFlags::empty())?;
            unlinkat(from, old, AtFlags::empty())
        }
        other => other,
    }
}

pub(super) fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    Ok(File::from(openat(CWD, path, flags, Mode::from_raw_mode(0o666))?))
}

/// The path names something else than a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a regular file")]
pub struct NotRegular;

/// Opens a regular file for reading, and nothing else: a link is not followed, a FIFO does not
/// block, a device is not touched.
///
/// # Errors
/// [`NotRegular`] inside of the error, or those of the disk.
pub fn open_regular(dir: impl AsFd, name: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(dir, name, flags, Mode::empty()) {
        Err(Errno::LOOP | Errno::NXIO) => return Err(io::Error::other(NotRegular)),
        other => File::from(other?),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other(NotRegular));
    }
    Ok((file, metadata))
}

/// [`open_regular`] by its path alone.
///
/// # Errors
/// The same.
pub fn open_regular_path(path: &Path) -> Result<(File, Metadata)> {
    at(Op::Open, path, open_regular(CWD, path))
}

/// The regular files of a directory, in its own order. None at all if it does not exist.
///
/// # Errors
/// Those of the disk.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    entries(dir, |kind| kind.is_file())
}

/// What a directory holds, of the wanted kinds.
///
/// # Errors
/// Those of the disk.
pub fn entries(dir: &Path, wanted: impl Fn(FileType) -> bool) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => at(Op::Read, dir, other)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = at(Op::Read, dir, entry)?;
        if wanted(at(Op::Stat, &entry.path(), entry.file_type())?) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[cfg(not(test))]
pub(super) fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) fn step() -> io::Result<()> {
    fault::step()
}

/// Stops the disk at a chosen operation of the current thread.
#[cfg(test)]
pub(crate) mod fault {
    use std::{cell::Cell, io};

    /// What happens at the chosen operation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// The process is killed: this operation and all after it have no effect.
        Kill,
        /// This operation fails, once.
        Fail(rustix::io::Errno),
    }

    /// A kill, a full disk and a broken one.
    pub(crate) const ALL: [Fault; 3] =
        [Fault::Kill, Fault::Fail(rustix::io::Errno::NOSPC), Fault::Fail(rustix::io::Errno::IO)];

    /// Runs `check` with each fault at each operation that it reaches. `check` makes the state,
    /// runs the work by [`with`] the fault, looks at what is left, and returns whether the
    /// operation was reached.
    pub(crate) fn at_each_step(check: impl Fn(Fault, usize) -> bool) {
        for fault in ALL {
            let steps = (0..).take_while(|at| check(fault, *at)).count();
            assert!(steps > 0, "the work changes the disk");
        }
    }

    thread_local! {
        static PLAN: Cell<Option<(Fault, usize)>> = const { Cell::new(None) };
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    /// Runs `work` with the fault at operation number `at`, counted from 0. Returns its result,
    /// and whether the operation was reached.
    pub(crate) fn with<T>(fault: Fault, at: usize, work: impl FnOnce() -> T) -> (T, bool) {
        PLAN.set(Some((fault, at)));
        COUNT.set(0);
        let result = work();
        PLAN.set(None);
        (result, COUNT.get() > at)
    }

    pub(super) fn step() -> io::Result<()> {
        let Some((fault, at)) = PLAN.get() else { return Ok(()) };
        let now = COUNT.replace(COUNT.get() + 1);
        match fault {
            Fault::Kill if now >= at => Err(io::Error::other("killed")),
            Fault::Fail(errno) if now == at => Err(errno.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::FileType;

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

    #[test]
    fn w19_special_files_are_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| dir.path().join(name);
        rustix::fs::mknodat(CWD, path("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
        std::fs::create_dir(path("dir")).unwrap();
        for name in ["fifo", "link", "dir"] {
            let error = open_regular_path(&path(name)).unwrap_err();
            assert!(error.to_string().ends_with("is not a regular file"), "{name}: {error}");
        }
    }

    #[test]
    fn errors_read_like_the_references() {
        let error = open_regular_path(Path::new("/nonexistent")).unwrap_err();
        assert_eq!(error.to_string(), "open /nonexistent: no such file or directory");
    }
}
