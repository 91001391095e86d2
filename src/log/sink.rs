//! Appending to the log: one record a write, under the lock that all NNCP programs use.

use rustix::fs::{FlockOperation, flock};
use std::{
    ffi::OsStr,
    fmt,
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
#[error("Can not {step}: {place}: {cause}")]
pub struct SinkError {
    step: Step,
    /// The file, or `FD:` and the descriptor.
    place: String,
    cause: io::Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    OpenLock,
    Lock,
    Open,
    Write,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenLock => "open lock for log",
            Self::Lock => "acquire lock for log",
            Self::Open => "open log",
            Self::Write => "write log",
        })
    }
}

impl Step {
    fn failed(self, place: impl fmt::Display) -> impl FnOnce(io::Error) -> SinkError {
        move |cause| SinkError { step: self, place: place.to_string(), cause }
    }
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
    let lock_path = Path::new(&lock_path);
    let lock = open(lock_path).map_err(Step::OpenLock.failed(lock_path.display()))?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|errno| Step::Lock.failed(lock_path.display())(errno.into()))?;
    let mut file = open(path).map_err(Step::Open.failed(path.display()))?;
    file.write_all(record.as_bytes()).map_err(Step::Write.failed(path.display()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o666).open(path)
}

/// Duplicates the descriptor through `/proc`-free means: it is only borrowed for the write.
#[allow(unsafe_code)]
fn write_to(number: i32, record: &str) -> Result<(), SinkError> {
    let failed = Step::Write.failed(format!("FD:{number}"));
    if number < 0 {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    // SAFETY: the number was given to us by whoever started this process; it is used as it is and
    // stays open, and a closed one gives EBADF.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    let mut rest = record.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(fd, rest) {
            Ok(0) => return Err(failed(io::ErrorKind::WriteZero.into())),
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
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
        let error = sink.append("one\n").unwrap().to_string();
        assert!(error.starts_with("Can not write log: FD:-7: "), "{error}");
        assert!(sink.append("two\n").is_none());
    }

    #[test]
    fn a_log_that_can_not_be_made_is_named() {
        let sink = Sink::new(Target::File("/nonexistent/log".into()));
        let error = sink.append("one\n").unwrap().to_string();
        assert!(error.starts_with("Can not open lock for log: /nonexistent/log.lock: "), "{error}");
    }
}
