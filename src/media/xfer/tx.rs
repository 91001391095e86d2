//! From the spool onto the medium.

use super::{Medium, Xfer, names, open_dir, unlink};
use crate::blocks;
use crate::config::Neighbour;
use crate::disk::WriteOut;
use crate::display::reason;
use crate::log::event::{self, XferTx};
use crate::media::Report;
use crate::progress::Work;
use crate::random;
use crate::spool::{Damage, Job, Listing, LockKind, Present, Seen, Xx, is_enough};
use packmule_protocol::id::PacketHash;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A packet stays in the spool: at which step, and why.
type Refused = (XferTx, io::Error);

impl Xfer<'_> {
    /// Puts the packets for every neighbour that has a directory on the medium there. What is
    /// wrong with single packets and directories is logged and counted.
    pub fn send(&self, medium: &Medium) -> Report {
        let mut report = Report::default();
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

    /// For whom nothing is put on the medium, because it does not get to them.
    fn avoids(&self, medium: &Medium) -> impl Fn(&Neighbour) -> bool {
        // A medium that can not be read is told where it is read or written.
        let writers = self.writers(medium).unwrap_or_default();
        move |to| self.takeback && self.is_away(&writers, to)
    }

    /// The neighbours that have packets waiting and no directory on the medium, or that it does not
    /// get to, by name, and how many those are.
    pub(crate) fn waiting_elsewhere(&self, medium: &Medium) -> Vec<(&str, usize)> {
        let avoids = self.avoids(medium);
        let has_none = |to: &&Neighbour| {
            if avoids(to) {
                return true;
            }
            let opened = open_dir(medium.root(), &to.id.to_string());
            opened.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        // What this node posted to its own areas waits for a toss.
        let own = self.own();
        let others = self.local.node.neighbours.values().filter(|to| to.id != own);
        let wanted = others.filter(|to| self.wants(to));
        let waiting = wanted.filter(has_none).map(|to| {
            // What can not be listed was told where it was to be sent.
            let hashes = self.local.spool.hashes(&to.id, Xx::Tx).unwrap_or_default();
            (to.name.as_str(), hashes.len())
        });
        waiting.filter(|(_, packets)| *packets > 0).collect()
    }

    /// Our directory in the neighbour's on the medium; `None` when the neighbour has none.
    fn shelf(&self, medium: &Medium, to: &Neighbour) -> io::Result<Option<OwnedFd>> {
        let recipient = to.id.to_string();
        if self.mkdir {
            self.make_dir(medium.root(), &recipient)?;
        }
        let theirs = match open_dir(medium.root(), &recipient) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let own = self.own().to_string();
        self.make_dir(theirs.as_fd(), &own)?;
        open_dir(theirs.as_fd(), &own).map(Some)
    }

    fn make_dir(&self, at: std::os::fd::BorrowedFd<'_>, name: &str) -> io::Result<()> {
        let made = match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => true,
            // It may be from a transfer that was cut short before it was durable.
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(errno.into()),
        };
        let synced = open_dir(at, name).and_then(|dir| self.sync(dir)).and_then(|()| self.sync(at));
        synced.inspect_err(|_| {
            if made {
                let _ = rustix::fs::unlinkat(at, name, AtFlags::REMOVEDIR);
            }
        })
    }

    fn send_to(&self, to: &Neighbour, dir: &OwnedFd) -> Report {
        let mut report = Report::default();
        let mut copies = Vec::new();
        remove_stale(dir);
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

    /// Logs why a packet stays in the spool; how many that are.
    fn keep_back(&self, to: &Neighbour, packet: PacketHash, (step, error): Refused) -> u64 {
        let peer = to.peer();
        let record = event::xfer_tx_fault(step, peer, Path::new(""), Some(packet));
        self.local.log.error(record, &reason(&error));
        1
    }

    /// Copies one packet, unless it is there already.
    fn copy_out<'a>(
        &self,
        to: &Neighbour,
        job: Job,
        dir: &'a OwnedFd,
    ) -> Result<Copy<'a>, (PacketHash, Refused)> {
        match self.copy_packet(to, &job, dir) {
            Ok(temporary) => Ok(Copy { job, temporary }),
            Err(refused) => Err((job.hash, refused)),
        }
    }

    fn copy_packet<'a>(
        &self,
        to: &Neighbour,
        job: &Job,
        dir: &'a OwnedFd,
    ) -> Result<Option<Temporary<'a>>, Refused> {
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
        let temporary = Temporary::create(dir).map_err(|error| (XferTx::Tmp, error))?;
        let (disk, mut out) = (self.local.spool.disk(), WriteOut::default());
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

    /// Removes a damaged copy: a full medium has no room for a good one beside it. Ours is hashed
    /// before, for if it is the one that is damaged, that on the medium may be good.
    fn make_way(
        &self,
        to: &Neighbour,
        job: &Job,
        dir: &OwnedFd,
        damage: &Damage,
    ) -> Result<(), Refused> {
        let source = job.open().map_err(|error| (XferTx::Open, error.into()))?;
        let meter = self.local.progress.start(Work::Check, job.file_name(), Some(job.size));
        let digest = blocks::hash(meter.read(&source)).map_err(|error| (XferTx::Copy, error))?;
        if PacketHash(digest) != job.hash {
            return Err((XferTx::Copy, io::Error::other(NotItsName)));
        }
        self.local.log.info(event::xfer_tx_damaged(to.peer(), job.hash, damage));
        unlink(dir, &job.hash.to_string()).map_err(|error| (XferTx::Remove, error))
    }

    /// Gives the copies their names, and removes those packets from the spool that are durable on
    /// the medium: its disk is waited for once, not once for each.
    fn name_copies(&self, to: &Neighbour, dir: &OwnedFd, copies: &mut Vec<Copy<'_>>) -> Report {
        let mut report = Report::default();
        // All bytes are on the medium before the first name is.
        let synced: Vec<_> = copies.drain(..).map(|copy| (self.sync_copy(&copy), copy)).collect();
        let mut named = Vec::new();
        for (synced, Copy { job, temporary }) in synced {
            let (name, hash, is_new) = (job.hash.to_string(), job.hash, temporary.is_some());
            let renamed = synced.map_err(|error| (XferTx::Sync, error)).and_then(|()| {
                let renamed = temporary.map_or(Ok(()), |temporary| temporary.rename(&name));
                renamed.map_err(|error| (XferTx::Rename, error))
            });
            match renamed {
                Ok(()) => {
                    // A part that a call left there is not needed any more, nor is it missed if it
                    // was none.
                    let _ = unlink(dir, &format!("{name}.part"));
                    named.push((job, is_new));
                }
                Err(refused) => report.failed += self.keep_back(to, hash, refused),
            }
        }
        if !named.is_empty() {
            report.add(self.settle_names(to, dir, &named));
        }
        report
    }

    fn sync_copy(&self, copy: &Copy<'_>) -> io::Result<()> {
        copy.temporary.as_ref().map_or(Ok(()), |temporary| self.sync(&temporary.file))
    }

    /// Makes the names durable. Where that fails the new ones go again: the next sync may succeed
    /// without having written them.
    fn settle_names(&self, to: &Neighbour, dir: &OwnedFd, named: &[(Job, bool)]) -> Report {
        let mut report = Report::default();
        let Err(error) = self.sync(dir) else {
            for (job, is_new) in named {
                report.add(self.finish(to, job, *is_new));
            }
            return report;
        };
        for (job, is_new) in named {
            if *is_new {
                let _ = unlink(dir, &job.hash.to_string());
            }
            let refused = (XferTx::Sync, io::Error::other(reason(&error)));
            report.failed += self.keep_back(to, job.hash, refused);
        }
        report
    }

    /// The packet is durable on the medium.
    fn finish(&self, to: &Neighbour, job: &Job, is_new: bool) -> Report {
        let mut report = Report::default();
        if self.options.delete
            && let Err(error) = self.local.spool.retire(job, Seen::Forget)
        {
            report.failed += self.keep_back(to, job.hash, (XferTx::Remove, error.into()));
            return report;
        }
        // Nothing has changed where both copies were there before.
        if is_new || self.options.delete {
            self.local.log.info(event::xfer_tx(to.peer(), job.hash, job.size));
        }
        Report { packets: 1, bytes: job.size, there: u64::from(!is_new), ..report }
    }
}

/// Removes what transfers left whose medium was pulled out, or that were killed. Only we write here,
/// one of us at a time: it holds the lock of the neighbour's tx.
fn remove_stale(dir: &OwnedFd) {
    let is_hex = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The reference's are named like ours. What can not be removed may be gone the next time.
    for name in names(dir).unwrap_or_default() {
        if name.strip_prefix(TEMPORARY).is_some_and(is_hex) {
            let _ = unlink(dir, &name);
        }
    }
}

/// The spool's packet is the damaged one.
#[derive(Debug, thiserror::Error)]
#[error("the packet in the spool does not hash to its name")]
struct NotItsName;

/// A packet on the medium that has no name there yet; without a temporary file it was there
/// already.
struct Copy<'a> {
    job: Job,
    temporary: Option<Temporary<'a>>,
}

/// How the names of packets in the making begin.
const TEMPORARY: &str = "nncpxfer";

/// A packet in the making. Its name begins in lower case, so that readers pass over it; dropped, it
/// vanishes.
struct Temporary<'a> {
    dir: &'a OwnedFd,
    name: Option<String>,
    file: File,
}

impl<'a> Temporary<'a> {
    fn create(dir: &'a OwnedFd) -> io::Result<Self> {
        let name = format!("{TEMPORARY}{:x}", random::number()?);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(dir, &name, flags, Mode::from_raw_mode(0o666))?.into();
        Ok(Self { dir, name: Some(name), file })
    }

    fn rename(mut self, name: &str) -> io::Result<()> {
        if let Some(temporary) = &self.name {
            rustix::fs::renameat(self.dir, temporary.as_str(), self.dir, name)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = unlink(self.dir, name);
        }
    }
}
