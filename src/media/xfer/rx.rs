//! From the medium into the spool.

use super::{Report, Xfer, names, open_dir, unlink};
use crate::blocks;
use crate::config::Neighbour;
use crate::log::Record;
use crate::log::event::{self, Peer, XferRx};
use crate::progress::Work;
use crate::spool::{CommitError, DiskError, SpaceError, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::{HEADER_LEN, Header, HeaderError};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A packet on the medium is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Open(io::Error),
    #[error("not a regular file")]
    Kind,
    #[error("{0}")]
    Read(io::Error),
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("{0}")]
    Copy(io::Error),
    /// As many bytes as it has are not those that its name stands for.
    #[error("checksum mismatch")]
    Altered(u64),
    #[error(transparent)]
    Commit(CommitError),
    #[error("{0}")]
    Remove(io::Error),
}

impl Refused {
    fn step(&self) -> XferRx {
        match self {
            Self::Open(_) | Self::Kind => XferRx::Open,
            Self::Read(_) => XferRx::Read,
            Self::Header(_) => XferRx::NotPacket,
            Self::Space(_) => XferRx::NoSpace,
            Self::Disk(_) | Self::Copy(_) => XferRx::Copy,
            Self::Altered(_) => XferRx::Checksum,
            Self::Commit(_) => XferRx::Commit,
            Self::Remove(_) => XferRx::Remove,
        }
    }
}

/// A neighbour's directory on the medium.
struct Shelf<'a> {
    dir: OwnedFd,
    path: PathBuf,
    /// The directory for us on the medium.
    ours: &'a Path,
    from: &'a Neighbour,
}

impl Shelf<'_> {
    fn peer(&self) -> Peer<'_> {
        Peer { id: self.from.id, name: &self.from.name }
    }
}

impl Xfer<'_> {
    /// Takes the packets for us from the medium at `medium`. Without a directory for us there are
    /// none.
    ///
    /// # Errors
    /// When the medium can not be read. What is wrong with single packets is logged and counted.
    pub fn receive(&self, medium: &Path) -> io::Result<Report> {
        let own = self.node.self_neighbour().id.to_string();
        let ours = medium.join(&own);
        let mut report = Report::default();
        let root = match File::open(medium).and_then(|medium| open_dir(medium.as_fd(), &own)) {
            Ok(root) => root,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(report),
            Err(error) => return Err(error),
        };
        for name in names(&root)? {
            let from = NodeId::from_file_name(&name)
                .and_then(|id| self.node.by_id(&id))
                .filter(|from| self.wants(from));
            let Some(from) = from else { continue };
            let path = ours.join(&name);
            match open_dir(root.as_fd(), &name) {
                Ok(dir) => {
                    report.add(self.receive_from(&Shelf { dir, path, ours: &ours, from })?);
                }
                Err(error) => {
                    let peer = Peer { id: from.id, name: &from.name };
                    let record = event::xfer_rx_fault(XferRx::Open, &ours, peer, &path);
                    self.log.error(record, &error);
                    report.failed += 1;
                }
            }
        }
        Ok(report)
    }

    fn receive_from(&self, shelf: &Shelf<'_>) -> io::Result<Report> {
        let mut report = Report::default();
        for name in names(&shelf.dir)? {
            let Some(hash) = PacketHash::from_file_name(&name) else { continue };
            let path = shelf.path.join(&name);
            match self.receive_packet(shelf, &name, hash, &path) {
                Ok(Some(size)) => {
                    report.packets += 1;
                    report.bytes += size;
                }
                Ok(None) => report.skipped += 1,
                Err(refused) => {
                    let record = match refused {
                        Refused::Altered(size) => self.received(shelf, &path, size),
                        _ => event::xfer_rx_fault(refused.step(), shelf.ours, shelf.peer(), &path),
                    };
                    self.log.error(record, &refused);
                    report.failed += 1;
                }
            }
        }
        if report.packets > 0 && !self.options.keep {
            self.sync(&shelf.dir)?;
        }
        Ok(report)
    }

    /// Takes one packet, and removes it from the medium once it is durable in the spool.
    fn receive_packet(
        &self,
        shelf: &Shelf<'_>,
        name: &str,
        hash: PacketHash,
        path: &Path,
    ) -> Result<Option<u64>, Refused> {
        let received = if self.spool.is_seen(&shelf.from.id, &hash) {
            self.log.info(event::xfer_rx_seen(shelf.ours, shelf.peer(), path));
            None
        } else {
            let Some(size) = self.copy(shelf, name, hash)? else { return Ok(None) };
            self.log.info(self.received(shelf, path, size));
            Some(size)
        };
        if !self.options.keep {
            unlink(&shelf.dir, name).map_err(Refused::Remove)?;
        }
        Ok(received)
    }

    fn received(&self, shelf: &Shelf<'_>, path: &Path, size: u64) -> Record {
        event::xfer_rx(shelf.ours, shelf.peer(), path, size)
    }

    /// Copies a packet into `rx/`, if it is urgent enough; its size.
    fn copy(
        &self,
        shelf: &Shelf<'_>,
        name: &str,
        hash: PacketHash,
    ) -> Result<Option<u64>, Refused> {
        let (mut file, size) = open_packet(&shelf.dir, name)?;
        let mut head = Vec::with_capacity(HEADER_LEN);
        (&mut file).take(HEADER_LEN as u64).read_to_end(&mut head).map_err(Refused::Read)?;
        file.rewind().map_err(Refused::Read)?;
        if Header::parse(&head)?.nice > self.options.nice {
            return Ok(None);
        }
        self.spool.room_for(size)?;
        let mut pending = self.spool.pending()?;
        let meter = self.progress.start(Work::Rx, name, Some(size));
        // No more than there was: a file that grows meanwhile does not fill the spool.
        blocks::copy(meter.read(file.take(size)), &mut pending).map_err(Refused::Copy)?;
        pending.commit_expecting(hash, &shelf.from.id, Xx::Rx).map_err(|error| match error {
            CommitError::Mismatch { .. } => Refused::Altered(size),
            other => Refused::Commit(other),
        })?;
        Ok(Some(size))
    }
}

/// Opens a regular file and nothing else, without waiting.
fn open_packet(dir: &OwnedFd, name: &str) -> Result<(File, u64), Refused> {
    let failed = |errno: rustix::io::Errno| Refused::Open(errno.into());
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(failed)?.into();
    let stat = rustix::fs::fstat(&file).map_err(failed)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((file, u64::try_from(stat.st_size).unwrap_or(0))),
        _ => Err(Refused::Kind),
    }
}
