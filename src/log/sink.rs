//! Appending to the log: one record a write, under the lock that all NNCP programs use.

use rustix::fs::{FlockOperation, flock};
use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{self, Write},
    num::ParseIntError,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

/// Where records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Appended to this file, under a lock.
    File(PathBuf),
    /// Written to this inherited descriptor.
    Fd(i32),
}

impl Target {
    /// What a flag or the environment says: `FD:` and a descriptor, or a path, used as it is.
    ///
    /// # Errors
    /// When `FD:` is followed by something else than a number.
    pub fn from_override(text: &OsStr) -> Result<Self, ParseIntError> {
        match text.to_str().and_then(|text| text.strip_prefix("FD:")) {
            Some(number) => number.parse().map(Self::Fd),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// The log could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The lock file beside the log.
    #[error("Can not open lock for log: {0}")]
    OpenLock(io::Error),
    /// Its lock.
    #[error("Can not acquire lock for log: {0}")]
    Lock(io::Error),
    /// The log file.
    #[error("Can not open log: {0}")]
    Open(io::Error),
    /// The log file, once open.
    #[error("Can not write log: {0}")]
    Write(io::Error),
}

/// An open target. Failures are returned once, then kept quiet about.
#[derive(Debug)]
pub(super) struct Sink {
    target: Target,
    failed: OnceLock<()>,
    /// Threads of this process take their turns here: `flock` is per open file.
    turn: Mutex<()>,
}

impl Sink {
    pub(super) fn new(target: Target) -> Self {
        Self { target, failed: OnceLock::new(), turn: Mutex::new(()) }
    }

    /// Appends one record; an error is returned the first time only.
    pub(super) fn append(&self, record: &str) -> Option<SinkError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &self.target {
            Target::File(path) => append(path, record),
            Target::Fd(number) => write_to(*number, record),
        };
        result.err().filter(|_| self.failed.set(()).is_ok())
    }
}

/// The file is opened anew for each record, so it can be rotated at any time.
fn append(path: &Path, record: &str) -> Result<(), SinkError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock = open(Path::new(&lock_path)).map_err(SinkError::OpenLock)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|e| SinkError::Lock(e.into()))?;
    let mut file = open(path).map_err(SinkError::Open)?;
    file.write_all(record.as_bytes()).map_err(SinkError::Write)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o666).open(path)
}

/// Duplicates the descriptor through `/proc`-free means: it is only borrowed for the write.
#[allow(unsafe_code)]
fn write_to(number: i32, record: &str) -> Result<(), SinkError> {
    if number < 0 {
        return Err(SinkError::Write(io::ErrorKind::InvalidInput.into()));
    }
    // SAFETY: the number was given to us by whoever started this process; it is used as it is and
    // stays open, and a closed one gives EBADF.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    let mut rest = record.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(fd, rest) {
            Ok(0) => return Err(SinkError::Write(io::ErrorKind::WriteZero.into())),
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(SinkError::Write(error.into())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_descriptor_needs_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("out")).unwrap();
        let sink = Sink::new(Target::Fd(file.as_raw_fd()));
        assert!(sink.append("one\n").is_none());
        assert!(sink.append("two\n").is_none());
        assert_eq!(std::fs::read_to_string(dir.path().join("out")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_closed_descriptor_is_told_once() {
        let sink = Sink::new(Target::Fd(-7));
        assert!(matches!(sink.append("one\n"), Some(SinkError::Write(_))));
        assert!(sink.append("two\n").is_none());
    }
}
