//! Processes a file: delivers it to the sender's `incoming` directory.
//!
//! [`Confined::publish`](crate::disk::confined::Confined::publish) chooses its name.

use super::arrival::{Arrival, Reader};
use super::notify;
use super::options::Toss;
use super::outcome::{Acted, Effect, failed};
use crate::disk::confined::Confined;
use crate::disk::{Below, Disk, DiskError, Op, PathError, WriteOut};
use crate::display::reason;
use crate::log::Record;
use crate::log::event::Rx;
use crate::outbound::path;
use crate::progress::{Meter, Work};
use std::fs::File;
use std::io::{self, Write};

impl Toss<'_> {
    pub(super) fn file<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let dst = path::shown(reader.plain().path());
        let fault = |fault: FileFault, error: &dyn std::fmt::Display| {
            failed(self, arrival.rx.file_fault(&dst, fault), error)
        };
        let below = Below::new(reader.plain().path());
        if below == Err(PathError::Absolute) {
            return Err(fault(FileFault::NonRelative, &"non-relative destination path"));
        }
        let Some(incoming) = arrival.author.incoming else {
            return Err(fault(FileFault::NoIncoming, &"incoming is not allowed"));
        };
        let below =
            below.map_err(|error| fault(FileFault::Traversal, &format!("incoming {error}")))?;
        if self.options.dry_run {
            reader.verify().map_err(|error| self.unreadable(&arrival.rx, &error))?;
            self.local.log.info(arrival.rx.file(&dst));
            return Ok(Effect::default());
        }
        let place = incoming.join(&dst);
        let refused = |step: FileFault, error: &io::Error| {
            fault(step, &format!("{}: {}", place.display(), reason(error)))
        };
        let dir = Confined::create(incoming, self.local.spool.disk())
            .map_err(|error| refused(FileFault::Mkdir, &error.into()))?;
        let mut temporary =
            dir.temporary(&below).map_err(|error| refused(FileFault::MkTemp, &error.cause))?;
        let meter = self.local.progress.start(Work::RxFile, &dst, arrival.rx.size);
        let mut sink = Growing {
            file: &temporary.file,
            out: WriteOut::default(),
            disk: self.local.spool.disk(),
            meter: &meter,
        };
        reader.copy_to(&mut sink).map_err(|error| match error {
            crate::blocks::ReadError::Sink(error) => refused(FileFault::Copy, &error),
            error => self.unreadable(&arrival.rx, &error),
        })?;
        drop(meter);
        dir.publish(&mut temporary, &below, &arrival.job.hash)
            .map_err(|error| refused(step(&error), &error.cause))?;
        self.local.log.info(arrival.rx.file(&dst));
        if let Err(error) = notify::file(self, arrival, &dst) {
            fault(FileFault::Notify, &error);
        }
        Ok(Effect { delivered: Some(temporary), ..Effect::default() })
    }
}

fn step(error: &DiskError) -> FileFault {
    match error.op {
        Op::Mkdir => FileFault::Mkdir,
        Op::Sync => FileFault::Sync,
        Op::SyncDir => FileFault::SyncDir,
        _ => FileFault::Rename,
    }
}

/// The file that is being written: reports its progress and starts writing it to disk.
struct Growing<'a> {
    file: &'a File,
    out: WriteOut,
    disk: Disk,
    meter: &'a Meter,
}

impl Write for Growing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.out.grown(self.disk, self.file, written as u64);
        self.meter.add(written as u64);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A fault of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileFault {
    /// Its destination is absolute.
    NonRelative,
    /// The sender may not send files.
    NoIncoming,
    /// Its destination leaves the directory.
    Traversal,
    /// A directory cannot be made.
    Mkdir,
    /// The temporary file cannot be made.
    MkTemp,
    /// Copying to the temporary file failed.
    Copy,
    /// Syncing the file failed.
    Sync,
    /// Renaming the file failed.
    Rename,
    /// Syncing its directory failed.
    SyncDir,
    /// The notification mail failed.
    Notify,
}

/// The log records of files.
impl Rx<'_> {
    /// A file arrived at `dst`.
    fn file(&self, dst: &str) -> Record {
        self.record("rx", format!("Got file {dst} ({}) from {}", self.payload(), self.name()))
            .field("Type", "file")
            .field("Dst", dst)
    }

    /// A file could not be delivered to `dst`.
    fn file_fault(&self, dst: &str, fault: FileFault) -> Record {
        let (who, step) = match fault {
            FileFault::NonRelative => ("rx-non-rel", ""),
            FileFault::NoIncoming => ("rx-no-incoming", ""),
            FileFault::Traversal => ("rx-traversal", ": traversal"),
            FileFault::Mkdir => ("rx-mkdir", ": mkdir"),
            FileFault::MkTemp => ("rx-mktemp", ": mktemp"),
            FileFault::Copy => ("rx-copy", ": copying"),
            FileFault::Sync => ("rx-sync", ": syncing"),
            FileFault::Rename => ("rx-rename", ": renaming"),
            FileFault::SyncDir => ("rx-dirsync", ": dirsyncing"),
            FileFault::Notify => ("rx-notify", ": notifying"),
        };
        self.record(who, format!("{}: {dst}{step}", self.head("file")))
            .field("Type", "file")
            .field("Dst", dst)
    }
}
