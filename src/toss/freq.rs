//! Processes a file request: queues the file for the requester.

use super::arrival::{Arrival, Reader};
use super::notify;
use super::options::Toss;
use super::outcome::{Acted, Effect, failed};
use crate::config::Neighbour;
use crate::disk::confined::Confined;
use crate::disk::{Below, Disk, PathError};
use crate::log::Record;
use crate::log::event::Rx;
use crate::outbound::{Destination, FileOptions, QueueError, Source, SourceError, path};
use packmule_protocol::packet::PlainHeader;
use packmule_protocol::packet::plain::PATH_MAX;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Toss<'_> {
    pub(super) fn freq<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let plain = reader.plain().clone();
        let src = path::shown(plain.path());
        let fault = |dst: Option<&str>, fault: FreqFault, error: &dyn std::fmt::Display| {
            failed(self, arrival.rx.freq_fault(&src, dst, fault), error)
        };
        let below = Below::new(plain.path());
        if below == Err(PathError::Absolute) {
            return Err(fault(None, FreqFault::NonRelative, &"non-relative source path"));
        }
        let mut name = Capped::default();
        reader.copy_to(&mut name).map_err(|error| self.unreadable(&arrival.rx, &error))?;
        let dst = path::shown(&name.kept);
        let dst = dst.as_str();
        if name.len > PATH_MAX {
            let error = "Too long path: the destination does not fit a packet";
            return Err(fault(Some(dst), FreqFault::Read, &error));
        }
        let requester = arrival.author.neighbour;
        let Some((requester, root)) =
            requester.and_then(|node| Some((node, node.freq.path.as_deref()?)))
        else {
            return Err(fault(Some(dst), FreqFault::NoFreq, &"freqing is not allowed"));
        };
        let source = request(plain.path(), below, root).map_err(|error| match error {
            RequestError::Path(error) => {
                fault(Some(dst), FreqFault::NoFreq, &format!("freqing {error}"))
            }
            error => fault(Some(dst), FreqFault::Tx, &error),
        })?;
        if !self.options.dry_run {
            self.answer(requester, source, &plain, root, &name.kept)
                .map_err(|error| fault(Some(dst), FreqFault::Tx, &error))?;
        }
        self.local.log.info(arrival.rx.freq(&src, dst));
        if let Err(error) = notify::freq(self, arrival, &src) {
            fault(Some(dst), FreqFault::Notify, &error);
        }
        Ok(Effect::default())
    }

    fn answer(
        &self,
        requester: &Neighbour,
        source: Source,
        plain: &PlainHeader,
        root: &Path,
        destination: &[u8],
    ) -> Result<(), RequestError> {
        let cleaned = path::clean(destination);
        if cleaned == b".." || cleaned.starts_with(b"../") {
            return Err(RequestError::Outside);
        }
        let options = FileOptions {
            nice: plain.nice.unwrap_or(packmule_protocol::niceness::Niceness::BULK),
            maximum: requester.freq.maxsize,
            backup: Some(String::new()),
            ..FileOptions::default()
        };
        let name = path::clean(&[path::bytes(root), b"/", plain.path()].concat());
        self.local.file(Destination::Node(requester), source, &name, destination, options)?;
        Ok(())
    }
}

/// Why a request cannot be answered.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The request names no file. (`.` would request the whole directory.)
    #[error("the request names no file")]
    NoName,
    /// The requester would reject the destination.
    #[error("destination leads out of the requester's directory")]
    Outside,
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Opens the requested file below `root`; `.` requests all files.
fn request(
    asked: &[u8],
    below: Result<Below, PathError>,
    root: &Path,
) -> Result<Source, RequestError> {
    if asked.is_empty() {
        return Err(RequestError::NoName);
    }
    let path = root.join(Path::new(std::ffi::OsStr::from_bytes(asked)));
    let failed = |error| SourceError::Open { path: path.clone(), error };
    let opened = Confined::open(root, Disk { sync: false });
    let dir = opened.map_err(|error| failed(error.cause))?;
    let whole = asked.split(|byte| *byte == b'/').all(|part| matches!(part, b"" | b"."));
    let fd = if whole { dir.itself() } else { dir.read(&below?) }.map_err(failed)?;
    Ok(Source::from_fd(fd, &path, &path::base_name(path::bytes(&path)))?)
}

/// Keeps as many bytes as a path may have and counts the rest, so that a long payload takes no
/// memory.
#[derive(Default)]
struct Capped {
    kept: Vec<u8>,
    len: usize,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PATH_MAX - self.kept.len();
        bytes.take(room as u64).read_to_end(&mut self.kept)?;
        self.len = self.len.saturating_add(bytes.len());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A fault of a file request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FreqFault {
    /// Its source is absolute.
    NonRelative,
    /// The sender may not request files, or not this file.
    NoFreq,
    /// Its destination cannot be read.
    Read,
    /// The answer cannot be queued.
    Tx,
    /// The notification mail failed.
    Notify,
}

/// The log records of requests.
impl Rx<'_> {
    /// A request was answered.
    fn freq(&self, src: &str, dst: &str) -> Record {
        self.record("rx", format!("Got file request {src} to {}", self.name()))
            .field("Type", "freq")
            .field("Src", src)
            .field("Dst", dst)
    }

    /// A request was not answered. `dst` is `None` if it could not be read.
    fn freq_fault(&self, src: &str, dst: Option<&str>, fault: FreqFault) -> Record {
        let (who, step) = match fault {
            FreqFault::NonRelative => ("rx-non-rel", ""),
            FreqFault::NoFreq => ("rx-no-freq", ""),
            FreqFault::Read => ("rx-read", ": reading"),
            FreqFault::Tx => ("rx-tx", ": txing"),
            FreqFault::Notify => ("rx-notify", ": notifying"),
        };
        let paths = dst.map_or_else(|| src.to_owned(), |dst| format!("{src} -> {dst}"));
        let record = self
            .record(who, format!("{}: {paths}{step}", self.head("freq")))
            .field("Type", "freq")
            .field("Src", src);
        match dst {
            Some(dst) => record.field("Dst", dst),
            None => record,
        }
    }
}
