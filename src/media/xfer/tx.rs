//! From the spool onto the medium.

use super::{Report, Xfer, open_dir, unlink};
use crate::blocks;
use crate::config::Neighbour;
use crate::log::event::{self, Peer, XferTx};
use crate::progress::Work;
use crate::spool::{DiskError, Job, LockKind, Seen, Xx};
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
    /// Puts the packets for every neighbour that has a directory on the medium at `medium` there.
    ///
    /// # Errors
    /// When the spool can not be locked or listed. What is wrong with single packets and
    /// directories is logged and counted.
    pub fn send(&self, medium: &Path) -> Result<Report, DiskError> {
        let mut report = Report::default();
        for to in self.node.neighbours.values().filter(|to| self.wants(to)) {
            let Some(_lock) = self.spool.lock(&to.id, LockKind::Tx)? else {
                report.busy += 1;
                continue;
            };
            match self.shelf(medium, to) {
                Ok(Some(dir)) => report.add(self.send_to(to, &dir)?),
                Ok(None) => {}
                Err(error) => {
                    let peer = Peer { id: to.id, name: &to.name };
                    let path = medium.join(to.id.to_string());
                    let record = event::xfer_tx_fault(XferTx::Mkdir, peer, &path, None);
                    self.log.error(record, &crate::spool::disk::reason(&error));
                    report.failed += 1;
                }
            }
        }
        Ok(report)
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
        match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => self.sync(at),
            Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn send_to(&self, to: &Neighbour, dir: &OwnedFd) -> Result<Report, DiskError> {
        let mut report = Report::default();
        let peer = Peer { id: to.id, name: &to.name };
        for job in self.spool.jobs(&to.id, Xx::Tx)? {
            if job.header.nice > self.options.nice {
                report.skipped += 1;
                continue;
            }
            match self.send_packet(&job, dir) {
                Ok(true) => {
                    self.log.info(event::xfer_tx(peer, job.hash, job.size));
                    report.packets += 1;
                    report.bytes += job.size;
                }
                Ok(false) => report.skipped += 1,
                Err((step, error)) => {
                    let path = Path::new("");
                    let record = event::xfer_tx_fault(step, peer, path, Some(job.hash));
                    self.log.error(record, &crate::spool::disk::reason(&error));
                    report.failed += 1;
                }
            }
        }
        Ok(report)
    }

    /// Copies one packet, and removes it from the spool once it is durable on the medium. `false`:
    /// it was there already, and stays in the spool too.
    fn send_packet(&self, job: &Job, dir: &OwnedFd) -> Result<bool, Refused> {
        let name = job.hash.to_string();
        match rustix::fs::statat(dir, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => return Ok(false),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err((XferTx::Stat, errno.into())),
        }
        let source = job.open().map_err(|error| (XferTx::Open, error.into()))?;
        let meter = self.progress.start(Work::Tx, &name, Some(job.size));
        let temporary = Temporary::create(dir).map_err(|error| (XferTx::Tmp, error))?;
        let digest = blocks::copy_hashed(&source, &temporary.file, |bytes| meter.add(bytes))
            .map_err(|error| (XferTx::Copy, error))?;
        if PacketHash(digest) != job.hash {
            let error = io::Error::other("the packet in the spool does not hash to its name");
            return Err((XferTx::Copy, error));
        }
        self.sync(&temporary.file).map_err(|error| (XferTx::Sync, error))?;
        temporary.rename(&name).map_err(|error| (XferTx::Rename, error))?;
        // A part that a call left there is not needed any more, nor is it missed if it was none.
        let _ = unlink(dir, &format!("{name}.part"));
        self.sync(dir).map_err(|error| (XferTx::Sync, error))?;
        if !self.options.keep {
            self.spool.retire(job, Seen::Forget).map_err(|error| (XferTx::Remove, error.into()))?;
        }
        Ok(true)
    }
}

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
        let name = format!("nncpxfer{:x}", u64::from_ne_bytes(random));
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
