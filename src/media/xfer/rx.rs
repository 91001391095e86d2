//! Receives packets from the medium into the spool.

use super::{Medium, Xfer, if_there};
use crate::blocks;
use crate::config::Neighbour;
use crate::disk::{At, NotRegular, OpenDir, open_regular};
use crate::display::reason;
use crate::local::Local;
use crate::log::Record;
use crate::log::event::{self, XferRx};
use crate::media::intake::{self, Intake, Listed, Opened, Refused, Skip};
use crate::media::{Broken, Report};
use crate::progress::Work;
use crate::spool::Xx;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::Header;
use rustix::fs::AtFlags;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A neighbour's directory on the medium.
pub(super) struct Shelf<'a> {
    pub(super) local: &'a Local,
    pub(super) dir: Arc<OpenDir>,
    /// The directory on the medium that contains it: ours, or with [`Xx::Tx`] the neighbour's.
    pub(super) ours: &'a Path,
    pub(super) from: &'a Neighbour,
    /// The direction of its packets: from the neighbour, or put there by this node for it.
    pub(super) xx: Xx,
}

/// A packet's file on the medium.
struct OnMedium {
    file: File,
    size: u64,
    header: Header,
}

impl Xfer<'_> {
    /// Stores the packets for us from the medium. If it has no directory for us, there are none.
    ///
    /// # Errors
    /// The medium cannot be read. Faults of single packets are only logged and counted.
    pub fn receive(&self, medium: &Medium) -> io::Result<Report> {
        let own = self.own().to_string();
        let ours = medium.path().join(&own);
        let mut report = Report::default();
        let root = if_there(medium.root().below(&own)).map_err(|error| {
            let text = format!("{}: {}", ours.display(), reason(&error));
            io::Error::new(error.kind(), text)
        })?;
        let Some(root) = root else { return Ok(report) };
        for name in root.names().map_err(|error| error.cause)? {
            let from = NodeId::from_file_name(&name)
                .and_then(|id| self.local.node.by_id(&id))
                .filter(|from| self.wants(from));
            let Some(from) = from else { continue };
            match root.below(&name) {
                Ok(dir) => {
                    let (local, dir) = (self.local, Arc::new(dir));
                    let shelf = Shelf { local, dir, ours: &ours, from, xx: Xx::Rx };
                    report.add(self.receive_from(&shelf)?);
                }
                Err(error) => {
                    let (peer, path) = (from.peer(), ours.join(&name));
                    let record = event::xfer_rx_fault(XferRx::Open, &ours, peer, &path);
                    self.local.log.error(record, &reason(&error.cause));
                    report.failed += 1;
                }
            }
        }
        Ok(report)
    }

    pub(super) fn receive_from(&self, shelf: &Shelf<'_>) -> io::Result<Report> {
        let intake = Intake::new(self.local, self.options, shelf, shelf.xx);
        let taken = intake.run(|intake| {
            let found = packets_in(&shelf.dir)?;
            let sizes = found.iter().map(|(_, size)| *size);
            let packets = self.local.progress.each(Work::Rx, sizes);
            for (packet, size) in found {
                let listed = Listed { node: shelf.from.id, packet, place: () };
                intake.take(&listed, || open_packet(&shelf.dir, packet))?;
                packets.done(size);
            }
            Ok(())
        });
        let report = taken.map_err(|Broken { cause, .. }| cause)?;
        if report.packets > 0 && self.options.delete {
            let disk = self.local.spool.disk();
            disk.sync_open_dir(&shelf.dir).map_err(|error| error.cause)?;
        }
        Ok(report)
    }
}

impl Shelf<'_> {
    fn path(&self, packet: PacketHash) -> PathBuf {
        self.dir.path().join(packet.to_string())
    }

    fn arrived(&self, packet: PacketHash, size: u64) -> Record {
        let (ours, peer, path) = (self.ours, self.from.peer(), self.path(packet));
        match self.xx {
            Xx::Rx => event::xfer_rx(ours, peer, &path, size),
            Xx::Tx => event::xfer_taken_back(ours, peer, &path, size),
        }
    }
}

impl intake::Medium for Shelf<'_> {
    type Place = ();
    type Broken = io::Error;

    fn check(&self, _: &Listed<()>, header: &Header) -> Result<(), Refused> {
        match self.xx == Xx::Tx && header.recipient != self.from.id {
            true => Err(Refused::Recipient(self.from.name.clone())),
            false => Ok(()),
        }
    }

    fn received(&self, packet: &Listed<()>, size: u64) {
        self.local.log.info(self.arrived(packet.packet, size));
    }

    fn was_there(&self, packet: &Listed<()>, size: u64) {
        self.received(packet, size);
    }

    fn skipped(&self, packet: &Listed<()>, why: Skip) {
        if why == Skip::Seen {
            let path = self.path(packet.packet);
            self.local.log.info(event::xfer_rx_seen(self.ours, self.from.peer(), &path));
        }
    }

    fn refused(&self, packet: &Listed<()>, why: Refused) -> io::Result<()> {
        let record = match &why {
            Refused::Altered(size) => self.arrived(packet.packet, *size),
            _ => {
                let path = self.path(packet.packet);
                event::xfer_rx_fault(step(&why), self.ours, self.from.peer(), &path)
            }
        };
        self.local.log.error(record, &why);
        Ok(())
    }

    fn remove(&self, packet: &Listed<()>) -> io::Result<()> {
        let name = PathBuf::from(packet.packet.to_string());
        let removed = self.local.spool.disk().remove(At::new(&self.dir, name));
        removed.map_err(|error| error.cause)
    }
}

fn step(refused: &Refused) -> XferRx {
    match refused {
        Refused::Open(_) | Refused::Kind => XferRx::Open,
        Refused::Read(_) => XferRx::Read,
        Refused::Header(_) | Refused::Recipient(_) => XferRx::NotPacket,
        Refused::Space(_) => XferRx::NoSpace,
        Refused::InTheWay(_) => XferRx::InTheWay,
        Refused::Disk(_) | Refused::Ledger(_) | Refused::Copy(_) | Refused::Cut => XferRx::Copy,
        Refused::Altered(_) => XferRx::Checksum,
        Refused::Commit(_) => XferRx::Commit,
        Refused::Remove(_) => XferRx::Remove,
    }
}

impl Opened for OnMedium {
    fn header(&self) -> &Header {
        &self.header
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn bytes(self) -> impl Read + Send {
        self.file
    }
}

/// The names of packets in a directory, with the sizes of their files.
fn packets_in(dir: &OpenDir) -> io::Result<Vec<(PacketHash, u64)>> {
    let size = |name: &str| {
        let found = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        found.ok().and_then(|found| u64::try_from(found.st_size).ok()).unwrap_or(0)
    };
    let packet = |name: String| Some((PacketHash::from_file_name(&name)?, size(&name)));
    let names = dir.names().map_err(|error| error.cause)?;
    Ok(names.into_iter().filter_map(packet).collect())
}

/// Opens a packet's file and reads its header. Rejects other files; does not block on a FIFO.
fn open_packet(dir: &OpenDir, packet: PacketHash) -> Result<OnMedium, Refused> {
    let (mut file, metadata) = match open_regular(dir, Path::new(&packet.to_string())) {
        Ok(opened) => opened,
        Err(error) => {
            return Err(match error.downcast() {
                Ok(NotRegular) => Refused::Kind,
                Err(error) => Refused::Open(error),
            });
        }
    };
    let head = blocks::head(&mut file).map_err(Refused::Read)?;
    file.rewind().map_err(Refused::Read)?;
    Ok(OnMedium { file, size: metadata.len(), header: Header::parse(&head)? })
}
