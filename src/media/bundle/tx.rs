//! Writes packets from the spool to a bundle.

use super::{Bundle, entry};
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::ledger::{HandedBy, LedgerError};
use crate::log::event;
use crate::media::{Broken, Report};
use crate::outbound::Moment;
use crate::progress::Work;
use crate::spool::{Job, SETTLE, Xx};
use packmule_protocol::exchange::Place;
use packmule_protocol::id::PacketHash;
use std::fs::File;
use std::io::{self, Read, Write};

/// Bytes between two updates of the progress.
const PIECE: u64 = 8 << 20;
/// Smaller packets are written together with the bytes around them.
const SMALL: u64 = 64 << 10;

/// The bundle is incomplete. No packet that is missing from it was removed from the spool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// A directory of the spool could not be read, or a packet could not be removed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A packet that is followed could not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The stream could not be written.
    #[error("writing the bundle: {0}")]
    Write(io::Error),
    /// A packet became shorter while it was written.
    #[error("{0}: became shorter while it was read")]
    Shrunk(PacketHash),
}

impl Bundle<'_> {
    /// Writes the packets for the chosen neighbours to `out`. With `delete`, removes each packet once
    /// it is written and, if the stream is a file, synced.
    ///
    /// # Errors
    /// [`SendError`]. A packet that cannot be opened is only logged and counted.
    pub fn send(&self, out: &File) -> Result<Report, Broken<SendError>> {
        let failed = self.local.speak(Moment::Leaving);
        let mut done = Report { failed, ..Report::default() };
        match self.send_all(out, &mut done) {
            Ok(()) => Ok(done),
            Err(cause) => Err(Broken { done, cause }),
        }
    }

    fn send_all(&self, out: &File, report: &mut Report) -> Result<(), SendError> {
        let mut written = Vec::new();
        let mut unsettled = 0;
        for (number, to) in self.options.nodes.iter().enumerate() {
            if self.options.nodes[..number].iter().any(|before| before.id == to.id) {
                continue;
            }
            let queue = self.local.spool.listing(&to.id, Xx::Tx)?.by_urgency();
            report.failed += queue.bad.len() as u64;
            let packets = self.local.progress.each(Work::Tx, queue.jobs.iter().map(|job| job.size));
            for job in queue.jobs {
                let sent = self.send_packet(to, &job, out, report)?;
                packets.done(job.size);
                let Some(size) = sent else { continue };
                if self.options.delete {
                    written.push(job);
                    unsettled += size;
                }
                if unsettled >= SETTLE {
                    self.remove(&mut written, out)?;
                    unsettled = 0;
                }
            }
        }
        self.remove(&mut written, out)
    }

    /// Writes one packet, unless it is skipped. Returns its size.
    fn send_packet(
        &self,
        to: &Neighbour,
        job: &Job,
        out: &File,
        report: &mut Report,
    ) -> Result<Option<u64>, SendError> {
        if job.nice() > self.options.nice {
            report.skipped += 1;
            return Ok(None);
        }
        let (file, size) = match job.open().and_then(|file| with_size(file, job)) {
            Ok(opened) => opened,
            // Another process has sent the packet meanwhile.
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => {
                report.skipped += 1;
                return Ok(None);
            }
            Err(error) => {
                self.local
                    .log
                    .error(event::bundle_fault(Xx::Tx, to.id, job.hash, job.size), &error);
                report.failed += 1;
                return Ok(None);
            }
        };
        let sender = self.local.node.self_neighbour().id;
        let place = Place { recipient: to.id, sender, packet: job.hash };
        self.write(&place, &file, size, out)?;
        self.local.log.info(event::bundle_tx(to.peer(), job.hash, size));
        report.packets += 1;
        report.bytes += size;
        Ok(Some(size))
    }

    /// Writes a multiple of a block at a time, because dd(1) between us and a tape makes a record of
    /// each write that is smaller than its own block.
    fn write(
        &self,
        place: &Place,
        file: &File,
        size: u64,
        mut out: &File,
    ) -> Result<(), SendError> {
        let meter = self.local.progress.start(Work::Tx, &place.packet.to_string(), Some(size));
        let mut buffer = entry::headers(place, size);
        let mut left = size;
        if size > SMALL {
            out.write_all(&buffer).map_err(SendError::Write)?;
            buffer.clear();
        }
        while left > SMALL {
            let piece = PIECE.min((left - 1) / SMALL * SMALL);
            let copied = io::copy(&mut file.take(piece), &mut out).map_err(SendError::Write)?;
            if copied < piece {
                return Err(SendError::Shrunk(place.packet));
            }
            meter.add(copied);
            left -= copied;
        }
        let read = file.take(left).read_to_end(&mut buffer).map_err(SendError::Write)?;
        if (read as u64) < left {
            return Err(SendError::Shrunk(place.packet));
        }
        meter.add(left);
        buffer.resize(buffer.len() + entry::padding(size), 0);
        out.write_all(&buffer).map_err(SendError::Write)
    }

    fn remove(&self, written: &mut Vec<Job>, out: &File) -> Result<(), SendError> {
        if !written.is_empty() {
            self.local.spool.disk().sync_stream(out).map_err(SendError::Write)?;
        }
        for job in written.drain(..) {
            self.local.ledger.release(&job, HandedBy::Bundle, self.local.now())?;
        }
        Ok(())
    }
}

fn with_size(file: File, job: &Job) -> Result<(File, u64), DiskError> {
    let failed =
        |cause| DiskError { op: crate::disk::Op::Stat, path: job.path().to_owned(), cause };
    let size = file.metadata().map_err(failed)?.len();
    Ok((file, size))
}
