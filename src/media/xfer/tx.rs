//! From the spool onto the medium.

use super::{Report, Xfer, names, open_dir, unlink};
use crate::blocks;
use crate::config::Neighbour;
use crate::log::event::{self, XferTx};
use crate::progress::Work;
use crate::spool::disk::WriteOut;
use crate::spool::{Job, Listing, LockKind, Seen, Xx, is_enough};
use packmule_protocol::id::PacketHash;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A packet stays in the spool: at which step, and why.
type Refused = (XferTx, io::Error);

impl Xfer<'_> {
    /// Puts the packets for every neighbour that has a directory on the medium at `medium` there.
    /// What is wrong with single packets and directories is logged and counted.
    pub fn send(&self, medium: &Path) -> Report {
        let mut report = Report::default();
        for to in self.node.neighbours.values().filter(|to| self.wants(to)) {
            let _lock = match self.spool.lock(&to.id, LockKind::Tx) {
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
                    let path = medium.join(to.id.to_string());
                    let record = event::xfer_tx_fault(XferTx::Mkdir, peer, &path, None);
                    self.log.error(record, &crate::spool::disk::reason(&error));
                    report.failed += 1;
                }
            }
        }
        report
    }

    /// Our directory in the neighbour's on the medium; `None` when the neighbour has none.
    fn shelf(&self, medium: &Path, to: &Neighbour) -> io::Result<Option<OwnedFd>> {
        let root = match File::open(medium) {
            Ok(root) => root,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.options.mkdir => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let recipient = to.id.to_string();
        if self.options.mkdir {
            self.make_dir(root.as_fd(), &recipient)?;
        }
        let theirs = match open_dir(root.as_fd(), &recipient) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let own = self.node.self_neighbour().id.to_string();
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
        let Ok(queue) = self.spool.listing(&to.id, Xx::Tx).map(Listing::by_urgency) else {
            report.failed += 1;
            return report;
        };
        report.failed += queue.bad.len() as u64;
        for job in queue.jobs {
            if job.header.nice > self.options.nice {
                report.skipped += 1;
                continue;
            }
            match self.copy_out(job, dir) {
                Ok(Some(copy)) => copies.push(copy),
                Ok(None) => report.skipped += 1,
                Err((hash, refused)) => {
                    report.add(self.name_copies(to, dir, &mut copies));
                    report.failed += self.keep_back(to, hash, refused);
                }
            }
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
        self.log.error(record, &crate::spool::disk::reason(&error));
        1
    }

    /// Copies one packet; nothing, if it is there already: it stays in the spool too.
    fn copy_out<'a>(
        &self,
        job: Job,
        dir: &'a OwnedFd,
    ) -> Result<Option<Copy<'a>>, (PacketHash, Refused)> {
        let temporary = self.copy_packet(&job, dir).map_err(|refused| (job.hash, refused))?;
        Ok(temporary.map(|temporary| Copy { job, temporary }))
    }

    fn copy_packet<'a>(
        &self,
        job: &Job,
        dir: &'a OwnedFd,
    ) -> Result<Option<Temporary<'a>>, Refused> {
        let name = job.hash.to_string();
        match rustix::fs::statat(dir, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) if is_it(&there, job) => return Ok(None),
            Ok(_) => return Err((XferTx::Stat, io::Error::other(InTheWay(name)))),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err((XferTx::Stat, errno.into())),
        }
        let source = job.open().map_err(|error| (XferTx::Open, error.into()))?;
        let meter = self.progress.start(Work::Tx, &name, Some(job.size));
        let temporary = Temporary::create(dir).map_err(|error| (XferTx::Tmp, error))?;
        let (disk, mut out) = (self.spool.disk(), WriteOut::default());
        let digest = blocks::copy_hashed(&source, &temporary.file, |bytes| {
            out.grown(disk, &temporary.file, bytes);
            meter.add(bytes);
        })
        .map_err(|error| (XferTx::Copy, error))?;
        if PacketHash(digest) != job.hash {
            let error = io::Error::other("the packet in the spool does not hash to its name");
            return Err((XferTx::Copy, error));
        }
        out.rest(disk, &temporary.file);
        Ok(Some(temporary))
    }

    /// Gives the copies their names, and removes those packets from the spool that are durable on
    /// the medium: its disk is waited for once, not once for each.
    fn name_copies(&self, to: &Neighbour, dir: &OwnedFd, copies: &mut Vec<Copy<'_>>) -> Report {
        let mut report = Report::default();
        // All bytes are on the medium before the first name is.
        let synced: Vec<_> =
            copies.drain(..).map(|copy| (self.sync(&copy.temporary.file), copy)).collect();
        let mut named = Vec::new();
        for (synced, Copy { job, temporary }) in synced {
            let (name, hash) = (job.hash.to_string(), job.hash);
            let renamed = synced
                .map_err(|error| (XferTx::Sync, error))
                .and_then(|()| temporary.rename(&name).map_err(|error| (XferTx::Rename, error)));
            match renamed {
                Ok(()) => {
                    // A part that a call left there is not needed any more, nor is it missed if it
                    // was none.
                    let _ = unlink(dir, &format!("{name}.part"));
                    named.push(job);
                }
                Err(refused) => report.failed += self.keep_back(to, hash, refused),
            }
        }
        if named.is_empty() {
            return report;
        }
        match self.sync(dir) {
            Ok(()) => named.iter().for_each(|job| self.finish(to, job, &mut report)),
            Err(error) => {
                // Their names may not be on the medium, and would count the next time.
                named.iter().for_each(|job| drop(unlink(dir, &job.hash.to_string())));
                let lost = crate::spool::disk::reason(&error);
                let refused = || (XferTx::Sync, io::Error::other(lost.clone()));
                let kept = named.iter().map(|job| self.keep_back(to, job.hash, refused()));
                report.failed += kept.sum::<u64>();
            }
        }
        report
    }

    /// The packet is durable on the medium.
    fn finish(&self, to: &Neighbour, job: &Job, report: &mut Report) {
        if !self.options.keep
            && let Err(error) = self.spool.retire(job, Seen::Forget)
        {
            report.failed += self.keep_back(to, job.hash, (XferTx::Remove, error.into()));
            return;
        }
        self.log.info(event::xfer_tx(to.peer(), job.hash, job.size));
        report.packets += 1;
        report.bytes += job.size;
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

/// Whether what is on the medium under a packet's name can be that packet.
fn is_it(there: &rustix::fs::Stat, job: &Job) -> bool {
    FileType::from_raw_mode(there.st_mode) == FileType::RegularFile
        && u64::try_from(there.st_size) == Ok(job.size)
}

/// Something else has the packet's name on the medium.
#[derive(Debug, thiserror::Error)]
#[error("{0} on the medium is not that packet: no file, or of another size; remove it there")]
struct InTheWay(String);

/// A packet on the medium that has no name there yet.
struct Copy<'a> {
    job: Job,
    temporary: Temporary<'a>,
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
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let name = format!("{TEMPORARY}{:x}", u64::from_ne_bytes(random));
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
