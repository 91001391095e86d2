//! From the medium into the spool.

use super::{Medium, Report, Xfer, names, open_dir, unlink};
use crate::blocks;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::disk::{NotRegular, open_regular};
use crate::display::reason;
use crate::log::Record;
use crate::log::event::{self, XferRx};
use crate::progress::Work;
use crate::spool::{CommitError, Group, Obstacle, Present, SpaceError, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::{Header, HeaderError};
use rustix::fs::AtFlags;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A packet on the medium is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{}", reason(.0))]
    Open(io::Error),
    #[error("not a regular file")]
    Kind,
    #[error("{}", reason(.0))]
    Read(io::Error),
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("is not for {0}")]
    Recipient(String),
    #[error("in the spool {0}")]
    InTheWay(#[from] Obstacle),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("{}", reason(.0))]
    Copy(io::Error),
    /// As many bytes as it has are not those that its name stands for.
    #[error("checksum mismatch")]
    Altered(u64),
    #[error(transparent)]
    Commit(CommitError),
    #[error("{}", reason(.0))]
    Remove(io::Error),
}

impl Refused {
    fn step(&self) -> XferRx {
        match self {
            Self::Open(_) | Self::Kind => XferRx::Open,
            Self::Read(_) => XferRx::Read,
            Self::Header(_) | Self::Recipient(_) => XferRx::NotPacket,
            Self::Space(_) => XferRx::NoSpace,
            Self::InTheWay(_) => XferRx::InTheWay,
            Self::Disk(_) | Self::Copy(_) => XferRx::Copy,
            Self::Altered(_) => XferRx::Checksum,
            Self::Commit(_) => XferRx::Commit,
            Self::Remove(_) => XferRx::Remove,
        }
    }
}

/// A packet that was copied and has no name in the spool yet.
struct Copied {
    name: String,
    size: u64,
}

/// What becomes of a packet on the medium.
enum Taken {
    /// It is too nice.
    Left,
    /// It is copied, and waits in the group for its name.
    Copied,
    /// The spool has it already, durably, with so many bytes.
    There(u64),
}

/// A neighbour's directory on the medium.
pub(super) struct Shelf<'a> {
    pub(super) dir: OwnedFd,
    pub(super) path: PathBuf,
    /// The directory on the medium that it is in: for us, or with [`Xx::Tx`] for the neighbour.
    pub(super) ours: &'a Path,
    pub(super) from: &'a Neighbour,
    /// Where its packets belong: what came from the neighbour, or what this node put there for it.
    pub(super) xx: Xx,
}

impl Xfer<'_> {
    /// Takes the packets for us from the medium. Without a directory for us there are
    /// none.
    ///
    /// # Errors
    /// When the medium can not be read. What is wrong with single packets is logged and counted.
    pub fn receive(&self, medium: &Medium) -> io::Result<Report> {
        let own = self.own().to_string();
        let ours = medium.path().join(&own);
        let mut report = Report::default();
        let root = match open_dir(medium.root(), &own) {
            Ok(root) => root,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(report),
            Err(error) => {
                let text = format!("{}: {}", ours.display(), reason(&error));
                return Err(io::Error::new(error.kind(), text));
            }
        };
        for name in names(&root)? {
            let from = NodeId::from_file_name(&name)
                .and_then(|id| self.local.node.by_id(&id))
                .filter(|from| self.wants(from));
            let Some(from) = from else { continue };
            let path = ours.join(&name);
            match open_dir(root.as_fd(), &name) {
                Ok(dir) => {
                    report.add(self.receive_from(&Shelf {
                        dir,
                        path,
                        ours: &ours,
                        from,
                        xx: Xx::Rx,
                    })?);
                }
                Err(error) => {
                    let peer = from.peer();
                    let record = event::xfer_rx_fault(XferRx::Open, &ours, peer, &path);
                    self.local.log.error(record, &reason(&error));
                    report.failed += 1;
                }
            }
        }
        Ok(report)
    }

    pub(super) fn receive_from(&self, shelf: &Shelf<'_>) -> io::Result<Report> {
        let mut report = Report::default();
        let mut group = Group::new(&self.local.spool, shelf.xx);
        let found = packets_in(&shelf.dir)?;
        let packets = self.local.progress.each(Work::Rx, found.iter().map(|(_, _, size)| *size));
        for (name, hash, size) in found {
            let path = shelf.path.join(&name);
            if shelf.xx == Xx::Rx && self.local.spool.is_seen(&shelf.from.id, &hash) {
                report.add(self.settle(shelf, &mut group));
                report.add(self.pass_seen(shelf, &path));
                packets.done(size);
                continue;
            }
            match self.copy_in(shelf, &name, hash, &mut group) {
                Ok(Taken::Copied) => {}
                Ok(Taken::Left) => report.skipped += 1,
                Ok(Taken::There(size)) => {
                    report.add(self.settle(shelf, &mut group));
                    let arrived = self.arrived(shelf, &path, size);
                    report.add(Report { there: arrived.packets, ..arrived });
                }
                Err(refused) => {
                    report.add(self.settle(shelf, &mut group));
                    report.add(self.refused(shelf, &path, &refused));
                }
            }
            packets.done(size);
            if group.is_full() {
                report.add(self.settle(shelf, &mut group));
            }
        }
        report.add(self.settle(shelf, &mut group));
        if report.packets > 0 && !self.options.keep {
            self.sync(&shelf.dir)?;
        }
        Ok(report)
    }

    /// A packet that was tossed before.
    fn pass_seen(&self, shelf: &Shelf<'_>, path: &Path) -> Report {
        self.local.log.info(event::xfer_rx_seen(shelf.ours, shelf.from.peer(), path));
        match self.remove(shelf, path) {
            Ok(()) => Report { skipped: 1, ..Report::default() },
            Err(refused) => self.refused(shelf, path, &refused),
        }
    }

    /// Publishes the packets that were copied, and removes from the medium those that are durable.
    fn settle(&self, shelf: &Shelf<'_>, group: &mut Group<Copied>) -> Report {
        let mut report = Report::default();
        for (Copied { name, size }, published) in group.publish() {
            let path = shelf.path.join(&name);
            match published {
                Ok(()) => report.add(self.arrived(shelf, &path, size)),
                Err(error) => {
                    report.add(self.refused(shelf, &path, &Refused::Commit(error.into())));
                }
            }
        }
        report
    }

    /// The packet is durable in the spool.
    fn arrived(&self, shelf: &Shelf<'_>, path: &Path, size: u64) -> Report {
        self.local.log.info(self.received(shelf, path, size));
        match self.remove(shelf, path) {
            Ok(()) => Report { packets: 1, bytes: size, ..Report::default() },
            Err(refused) => self.refused(shelf, path, &refused),
        }
    }

    /// Removes a packet from the medium, where that is wanted.
    fn remove(&self, shelf: &Shelf<'_>, path: &Path) -> Result<(), Refused> {
        match path.file_name().and_then(|name| name.to_str()) {
            Some(name) if !self.options.keep => unlink(&shelf.dir, name).map_err(Refused::Remove),
            _ => Ok(()),
        }
    }

    /// Logs what is wrong with a packet.
    fn refused(&self, shelf: &Shelf<'_>, path: &Path, refused: &Refused) -> Report {
        let record = match refused {
            Refused::Altered(size) => self.received(shelf, path, *size),
            _ => event::xfer_rx_fault(refused.step(), shelf.ours, shelf.from.peer(), path),
        };
        self.local.log.error(record, refused);
        Report { failed: 1, ..Report::default() }
    }

    fn received(&self, shelf: &Shelf<'_>, path: &Path, size: u64) -> Record {
        match shelf.xx {
            Xx::Rx => event::xfer_rx(shelf.ours, shelf.from.peer(), path, size),
            Xx::Tx => event::xfer_taken_back(shelf.ours, shelf.from.peer(), path, size),
        }
    }

    /// Copies a packet for `rx/`, if it is urgent enough and not there.
    fn copy_in(
        &self,
        shelf: &Shelf<'_>,
        name: &str,
        hash: PacketHash,
        group: &mut Group<Copied>,
    ) -> Result<Taken, Refused> {
        let (mut file, size) = open_packet(&shelf.dir, name)?;
        let head = blocks::head(&mut file).map_err(Refused::Read)?;
        file.rewind().map_err(Refused::Read)?;
        let header = Header::parse(&head)?;
        if header.nice > self.options.nice {
            return Ok(Taken::Left);
        }
        if shelf.xx == Xx::Tx && header.recipient != shelf.from.id {
            return Err(Refused::Recipient(shelf.from.name.clone()));
        }
        let from = shelf.from.id;
        match self.local.spool.present(&from, shelf.xx, hash, &self.local.progress)? {
            Present::Good(size) => return Ok(Taken::There(size)),
            Present::Damaged(damage) => {
                self.local.log.info(event::spool_damaged(shelf.xx, from, hash, &damage));
            }
            Present::Nothing => {}
        }
        self.local.spool.room_for(size)?;
        let mut pending = self.local.spool.pending()?;
        let meter = self.local.progress.start(Work::Rx, name, Some(size));
        // No more than there was: a file that grows meanwhile does not fill the spool.
        blocks::copy(meter.read(file.take(size)), &mut pending).map_err(Refused::Copy)?;
        let copied = Copied { name: name.to_owned(), size };
        group.add(pending, hash, from, copied).map_err(|error| match error {
            CommitError::Mismatch { .. } => Refused::Altered(size),
            other => Refused::Commit(other),
        })?;
        Ok(Taken::Copied)
    }
}

/// What has a packet's name, and its size as far as that is known.
fn packets_in(dir: &OwnedFd) -> io::Result<Vec<(String, PacketHash, u64)>> {
    let size = |name: &str| {
        let found = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        found.ok().and_then(|found| u64::try_from(found.st_size).ok()).unwrap_or(0)
    };
    let packet = |name: String| {
        PacketHash::from_file_name(&name)
            .map(|hash| (size(&name), hash))
            .map(|(size, hash)| (name, hash, size))
    };
    Ok(names(dir)?.into_iter().filter_map(packet).collect())
}

/// Opens a regular file and nothing else, without waiting.
fn open_packet(dir: &OwnedFd, name: &str) -> Result<(File, u64), Refused> {
    match open_regular(dir, Path::new(name)) {
        Ok((file, metadata)) => Ok((file, metadata.len())),
        Err(error) => Err(match error.downcast() {
            Ok(NotRegular) => Refused::Kind,
            Err(error) => Refused::Open(error),
        }),
    }
}
