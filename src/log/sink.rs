//! Appends records to the log, one per write, under the lock that all NNCP programs use.

use crate::disk::sharing::Shared;
use crate::inherited;
use rustix::fs::{FlockOperation, flock};
use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::num::ParseIntError;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The target of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// This file, under a lock.
    File(PathBuf),
    /// This inherited descriptor.
    Fd(u32),
}

impl Target {
    /// Parses the value of a flag or environment variable: `FD:` and a descriptor, or a path, which
    /// is not changed.
    ///
    /// # Errors
    /// If `FD:` is followed by anything but a number.
    pub(crate) fn from_override(text: &OsStr) -> Result<Self, ParseIntError> {
        match text.to_str().and_then(|text| text.strip_prefix("FD:")) {
            Some(number) => number.parse().map(Self::Fd),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// Why the log could not be written.
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

/// An open target. Returns the first failure, and ignores later ones.
#[derive(Debug)]
pub(super) struct Sink {
    target: Target,
    failed: OnceLock<()>,
    /// Makes the threads of this process take turns: `flock` works per open file, not per thread.
    turn: Mutex<()>,
}

impl Sink {
    pub(super) fn new(target: Target) -> Self {
        Self { target, failed: OnceLock::new(), turn: Mutex::new(()) }
    }

    /// Appends a record. Returns an error only the first time.
    pub(super) fn append(&self, record: &str) -> Option<SinkError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &self.target {
            Target::File(path) => append(path, record),
            Target::Fd(number) => write_to(*number, record),
        };
        result.err().filter(|_| self.failed.set(()).is_ok())
    }
}

/// The path of a log's lock.
pub(crate) fn lock_path(log: &Path) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

/// Opens the file for each record, so that it can be rotated at any time.
fn append(path: &Path, record: &str) -> Result<(), SinkError> {
    let lock_path = lock_path(path);
    let lock = open(&lock_path).map_err(Step::OpenLock.failed(lock_path.display()))?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|errno| Step::Lock.failed(lock_path.display())(errno.into()))?;
    let mut file = open(path).map_err(Step::Open.failed(path.display()))?;
    file.write_all(record.as_bytes()).map_err(Step::Write.failed(path.display()))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match options.append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let file = options.create(true).mode(0o666).open(path)?;
    if let Some(shared) = path.parent().and_then(Shared::of) {
        shared.share_file(&file);
    }
    Ok(file)
}

fn write_to(number: u32, record: &str) -> Result<(), SinkError> {
    let written =
        inherited::descriptor(number).and_then(|fd| inherited::write(fd, record.as_bytes()));
    written.map_err(Step::Write.failed(format!("FD:{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_descriptor_that_was_not_inherited_is_told_once_and_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("ours")).unwrap();
        let number = u32::try_from(file.as_raw_fd()).unwrap();
        let sink = Sink::new(Target::Fd(number));
        let error = sink.append("one\n").unwrap().to_string();
        assert!(error.starts_with(&format!("Can not write log: FD:{number}: ")), "{error}");
        assert!(sink.append("two\n").is_none());
        assert_eq!(file.metadata().unwrap().len(), 0);
    }

    #[test]
    fn a_descriptor_has_a_number() {
        for text in ["FD:x", "FD:-1", "FD:"] {
            assert!(Target::from_override(OsStr::new(text)).is_err(), "{text}");
        }
        assert_eq!(Target::from_override(OsStr::new("FD:4")), Ok(Target::Fd(4)));
    }

    #[test]
    fn a_log_that_can_not_be_made_is_named() {
        let sink = Sink::new(Target::File("/nonexistent/log".into()));
        let error = sink.append("one\n").unwrap().to_string();
        assert!(error.starts_with("Can not open lock for log: /nonexistent/log.lock: "), "{error}");
    }
}
