//! Copies packets from the spool to the medium.

use super::{Medium, Xfer, if_there};
use crate::config::Neighbour;
use crate::disk::{At, Before, Disk, DiskError, Named, Op, OpenDir, Temporary, WriteOut};
use crate::display::reason;
use crate::ledger::HandedBy;
use crate::log::event::{self, XferTx};
use crate::media::Report;
use crate::outbound::Moment;
use crate::progress::Work;
use crate::spool::{Damage, Job, Listing, LockKind, Present, Xx, is_enough};
use crate::{blocks, random};
use packmule_protocol::id::PacketHash;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a packet stays in the spool: the step that failed, and its error.
type Refused = (XferTx, io::Error);

impl Xfer<'_> {
    /// Copies packets to the medium for every neighbour that has a directory there. Logs and counts
    /// faults of single packets and directories.
    pub fn send(&self, medium: &Medium) -> Report {
        let failed = self.local.speak(Moment::Leaving);
        let mut report = Report { failed, ..Report::default() };
        let avoids = self.avoids(medium);
        for to in self.local.node.neighbours.values().filter(|to| self.wants(to) && !avoids(to)) {
            let _lock = match self.local.spool.lock(&to.id, LockKind::Tx) {
                Ok(Some(lock)) => lock,
                Ok(None) => {
                    report.busy += 1;
                    continue;
                }
                Err(_) => {
                    report.failed += 1;
                    continue;
                }
            };
            match self.shelf(medium, to) {
                Ok(Some(dir)) => report.add(self.send_to(to, &dir)),
                Ok(None) => {}
                Err(error) => {
                    let peer = to.peer();
                    let path = medium.path().join(to.id.to_string());
                    let record = event::xfer_tx_fault(XferTx::Mkdir, peer, &path, None);
                    self.local.log.error(record, &reason(&error));
                    report.failed += 1;
                }
            }
        }
        report
    }

    /// Returns a test for neighbours that the medium does not reach. They get no packets.
    fn avoids(&self, medium: &Medium) -> impl Fn(&Neighbour) -> bool {
        // If the medium cannot be read, the transfer itself reports it.
        let writers = self.writers(medium).unwrap_or_default();
        move |to| self.takeback && self.is_away(&writers, to)
    }

    /// Neighbours that have queued packets but no directory on the medium, or that it does not reach,
    /// in order of name, with the number of packets.
    pub(crate) fn waiting_elsewhere(&self, medium: &Medium) -> Vec<(&str, usize)> {
        let avoids = self.avoids(medium);
        let has_none = |to: &&Neighbour| {
            if avoids(to) {
                return true;
            }
            let opened = medium.root().below(to.id.to_string());
            opened.is_err_and(|error| error.cause.kind() == io::ErrorKind::NotFound)
        };
        // The node's own queue holds its posts to areas, which a toss distributes.
        let own = self.own();
        let others = self.local.node.neighbours.values().filter(|to| to.id != own);
        let wanted = others.filter(|to| self.wants(to));
        let waiting = wanted.filter(has_none).map(|to| {
            // `send` has already logged a queue that cannot be listed.
            let hashes = self.local.spool.hashes(&to.id, Xx::Tx).unwrap_or_default();
            (to.name.as_str(), hashes.len())
        });
        waiting.filter(|(_, packets)| *packets > 0).collect()
    }

    /// Our directory in the neighbour's on the medium; `None` if the neighbour has none.
    fn shelf(&self, medium: &Medium, to: &Neighbour) -> io::Result<Option<Arc<OpenDir>>> {
        let recipient = to.id.to_string();
        if self.mkdir {
            self.make_dir(medium.root(), &recipient)?;
        }
        let theirs = if_there(medium.root().below(&recipient))?;
        theirs.map(|theirs| self.make_dir(&theirs, &self.own().to_string())).transpose()
    }

    /// Makes a directory, durable also if it is there: it may be from a transfer that was cut short.
    fn make_dir(&self, above: &Arc<OpenDir>, name: &str) -> io::Result<Arc<OpenDir>> {
        let disk = self.local.spool.disk();
        let made = || {
            let made = disk.make_dir(At::new(above, Path::new(name)))?;
            let opened = above.below(name).and_then(|dir| {
                disk.sync_open_dir(&dir)?;
                disk.sync_open_dir(above)?;
                Ok(dir)
            });
            opened.inspect_err(|_| {
                if made {
                    let _ = disk.remove_dir(At::new(above, Path::new(name)));
                }
            })
        };
        made().map(Arc::new).map_err(|error| error.cause)
    }

    fn send_to(&self, to: &Neighbour, dir: &Arc<OpenDir>) -> Report {
        let mut report = Report::default();
        let mut copies = Vec::new();
        self.remove_stale(dir);
        let Ok(queue) = self.local.spool.listing(&to.id, Xx::Tx).map(Listing::by_urgency) else {
            report.failed += 1;
            return report;
        };
        report.failed += queue.bad.len() as u64;
        let (jobs, too_nice): (Vec<_>, Vec<_>) =
            queue.jobs.into_iter().partition(|job| job.nice() <= self.options.nice);
        report.skipped += too_nice.len() as u64;
        let packets = self.local.progress.each(Work::Tx, jobs.iter().map(|job| job.size));
        for job in jobs {
            let size = job.size;
            match self.copy_out(to, job, dir) {
                Ok(copy) => copies.push(copy),
                Err((hash, refused)) => {
                    report.add(self.name_copies(to, dir, &mut copies));
                    report.failed += self.keep_back(to, hash, refused);
                }
            }
            packets.done(size);
            if is_enough(copies.len(), copies.iter().map(|copy| copy.job.size).sum()) {
                report.add(self.name_copies(to, dir, &mut copies));
            }
        }
        report.add(self.name_copies(to, dir, &mut copies));
        report
    }

    /// Logs why a packet stays in the spool. Returns the number of failures, 1.
    fn keep_back(&self, to: &Neighbour, packet: PacketHash, (step, error): Refused) -> u64 {
        let peer = to.peer();
        let record = event::xfer_tx_fault(step, peer, Path::new(""), Some(packet));
        self.local.log.error(record, &reason(&error));
        1
    }

    /// Copies one packet, unless the medium already has it.
    fn copy_out(
        &self,
        to: &Neighbour,
        job: Job,
        dir: &Arc<OpenDir>,
    ) -> Result<Copy, (PacketHash, Refused)> {
        match self.copy_packet(to, &job, dir) {
            Ok(temporary) => Ok(Copy { job, temporary }),
            Err(refused) => Err((job.hash, refused)),
        }
    }

    fn copy_packet(
        &self,
        to: &Neighbour,
        job: &Job,
        dir: &Arc<OpenDir>,
    ) -> Result<Option<Temporary>, Refused> {
        let present =
            self.local.spool.disk().present(dir, job.hash, Some(job.size), &self.local.progress);
        let on_medium = |obstacle| io::Error::other(format!("on the medium {obstacle}"));
        match present.map_err(|obstacle| (XferTx::Stat, on_medium(obstacle)))? {
            Present::Good(_) => return Ok(None),
            Present::Damaged(damage) => self.make_way(to, job, dir, &damage)?,
            Present::Nothing => {}
        }
        let source = job.open().map_err(|error| (XferTx::Open, error.into()))?;
        let meter = self.local.progress.start(Work::Tx, job.file_name(), Some(job.size));
        let (disk, mut out) = (self.local.spool.disk(), WriteOut::default());
        let temporary = temporary(disk, dir).map_err(|error| (XferTx::Tmp, error))?;
        let digest = blocks::copy_hashed(&source, &temporary.file, |bytes| {
            out.grown(disk, &temporary.file, bytes);
            meter.add(bytes);
        })
        .map_err(|error| (XferTx::Copy, error))?;
        if PacketHash(digest) != job.hash {
            return Err((XferTx::Copy, io::Error::other(NotItsName)));
        }
        out.rest(disk, &temporary.file);
        Ok(Some(temporary))
    }

    /// Removes a damaged copy, since a full medium has no space for a second one. Hashes the spool's
    /// packet first: if that is the damaged one, the copy on the medium may be good.
    fn make_way(
        &self,
        to: &Neighbour,
        job: &Job,
        dir: &Arc<OpenDir>,
        damage: &Damage,
    ) -> Result<(), Refused> {
        let source = job.open().map_err(|error| (XferTx::Open, error.into()))?;
        let meter = self.local.progress.start(Work::Check, job.file_name(), Some(job.size));
        let digest = blocks::hash(meter.read(&source)).map_err(|error| (XferTx::Copy, error))?;
        if PacketHash(digest) != job.hash {
            return Err((XferTx::Copy, io::Error::other(NotItsName)));
        }
        self.local.log.info(event::xfer_tx_damaged(to.peer(), job.hash, damage));
        let removed = self.local.spool.disk().remove(At::new(dir, named(job)));
        removed.map_err(|error| (XferTx::Remove, error.cause))
    }

    /// Gives the copies their names, and removes those packets from the spool that are durable on
    /// the medium.
    fn name_copies(&self, to: &Neighbour, dir: &Arc<OpenDir>, copies: &mut Vec<Copy>) -> Report {
        let mut report = Report::default();
        let disk = self.local.spool.disk();
        let published = disk.publish_all(
            copies.iter_mut(),
            |copy| copy.temporary.as_ref().map_or(Ok(()), Temporary::sync),
            |Copy { job, temporary }| {
                let (name, is_new) = (At::new(dir, named(job)), temporary.is_some());
                let named = match temporary.take() {
                    Some(temporary) => temporary.rename(name)?,
                    None => Named::new(name, Before::Same),
                };
                // Remove a `.part` file that a call left there: the whole packet replaces it.
                let part = PathBuf::from(format!("{}.part", job.hash));
                let _ = disk.remove_if_there(At::new(dir, part));
                Ok((named, is_new))
            },
        );
        for (Copy { job, .. }, published) in copies.drain(..).zip(published) {
            match published {
                Ok(is_new) => report.add(self.finish(to, &job, is_new)),
                Err(DiskError { op, cause, .. }) => {
                    let step = if op == Op::Rename { XferTx::Rename } else { XferTx::Sync };
                    report.failed += self.keep_back(to, job.hash, (step, cause));
                }
            }
        }
        report
    }

    /// Logs a packet that is durable on the medium, and removes it from the spool if `delete` is set.
    fn finish(&self, to: &Neighbour, job: &Job, is_new: bool) -> Report {
        let mut report = Report::default();
        if self.options.delete
            && let Err(error) = self.local.ledger.release(job, HandedBy::Medium, self.local.now())
        {
            report.failed +=
                self.keep_back(to, job.hash, (XferTx::Remove, io::Error::other(error)));
            return report;
        }
        // With `-keep`, a copy that existed before is no event.
        if is_new || self.options.delete {
            self.local.log.info(event::xfer_tx(to.peer(), job.hash, job.size));
        }
        Report { packets: 1, bytes: job.size, there: u64::from(!is_new), ..report }
    }

    /// Removes temporary files of interrupted transfers. This is safe because only this node writes to
    /// the directory, and it holds the lock of the neighbour's tx.
    fn remove_stale(&self, dir: &Arc<OpenDir>) {
        let is_hex =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        // The reference's temporary files have similar names, so they go too. Ignore errors: the next
        // run tries again.
        for name in dir.names().unwrap_or_default() {
            if name.strip_prefix(TEMPORARY).is_some_and(is_hex) {
                let _ = self.local.spool.disk().remove(At::new(dir, PathBuf::from(name)));
            }
        }
    }
}

/// The damaged copy is the one in the spool.
#[derive(Debug, thiserror::Error)]
#[error("the packet in the spool does not hash to its name")]
struct NotItsName;

/// A packet to be named on the medium. Without a temporary file, the medium already had it.
struct Copy {
    job: Job,
    temporary: Option<Temporary>,
}

/// How the names of packets in the making begin: in lower case, so that readers skip them.
const TEMPORARY: &str = "nncpxfer";

/// Begins a packet on the medium.
fn temporary(disk: Disk, dir: &Arc<OpenDir>) -> io::Result<Temporary> {
    let name = PathBuf::from(format!("{TEMPORARY}{:x}", random::number()?));
    Temporary::named(disk, At::new(dir, name)).map_err(|error| error.cause)
}

fn named(job: &Job) -> PathBuf {
    job.hash.to_string().into()
}
