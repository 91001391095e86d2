//! From a bundle into the spool.

use super::search::{Found, Search};
use super::{Broken, Bundle, Report};
use crate::blocks;
use crate::disk::DiskError;
use crate::log::event::{self, BundleSkip};
use crate::progress::Work;
use crate::spool::{CommitError, Group, Obstacle, Present, SpaceError, Xx};
use crate::unpack::Foreign;
use packmule_protocol::id::{NodeId, PacketHash};
use std::io::{self, Read};

/// A bundle can not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The stream failed.
    #[error("reading the bundle: {0}")]
    Read(io::Error),
    /// The stream ends inside of a packet, nothing of which was kept.
    #[error("Error during copying: unexpected EOF")]
    Cut,
    /// There is no packet in the stream, and it begins as something else.
    #[error("the bundle is {}: put `{}` in front", .0.form, .0.reader)]
    Foreign(Foreign),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The packet could not be written.
    #[error("Error during copying: {0}")]
    Copy(io::Error),
}

/// One packet is not taken. The bundle is read on.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("bad checksum")]
    Checksum,
    #[error("in the spool {0}")]
    InTheWay(#[from] Obstacle),
    #[error(transparent)]
    Space(#[from] SpaceError),
}

/// What became of a packet that is for us.
enum Taken {
    /// It waits for its name; in a dry run, it would be taken.
    Copied,
    /// The spool has it already, with so many bytes.
    There(u64),
}

/// A packet that was copied and has no name in the spool yet.
struct Copied {
    from: NodeId,
    packet: PacketHash,
    size: u64,
}

/// How far a bundle was received.
pub(super) struct Receiving {
    pub(super) report: Report,
    group: Group<Copied>,
}

impl Bundle<'_> {
    /// Takes the packets for us from `source`, each after it was verified against its name.
    ///
    /// # Errors
    /// [`ReceiveError`]; packets taken before stay taken. What is wrong with single packets is
    /// logged and counted.
    pub fn receive(&self, source: impl Read + Send) -> Result<Report, Broken<ReceiveError>> {
        self.receiving(|receiving| {
            let mut search = Search::new(source);
            while let Some(found) = search.next_packet().map_err(ReceiveError::Read)? {
                self.receive_one(found, receiving)?;
            }
            search.foreign().map_or(Ok(()), |foreign| Err(ReceiveError::Foreign(foreign)))
        })
    }

    /// Does `work`. What was whole before the bundle broke is kept.
    pub(super) fn receiving(
        &self,
        work: impl FnOnce(&mut Receiving) -> Result<(), ReceiveError>,
    ) -> Result<Report, Broken<ReceiveError>> {
        let group = Group::new(&self.local.spool, Xx::Rx);
        let group = if self.options.hdr { group } else { group.without_hdr() };
        let mut receiving = Receiving { report: Report::default(), group };
        let worked = work(&mut receiving);
        let published = self.publish(&mut receiving).map_err(ReceiveError::from);
        let done = receiving.report;
        published.and(worked).map(|()| done).map_err(|cause| Broken { done, cause })
    }

    /// Publishes what was copied.
    fn publish(&self, receiving: &mut Receiving) -> Result<(), DiskError> {
        let mut failed = Ok(());
        for (Copied { from, packet, size }, published) in receiving.group.publish() {
            match published {
                Ok(()) => self.count(&mut receiving.report, from, packet, size),
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed
    }

    fn count(&self, report: &mut Report, from: NodeId, packet: PacketHash, size: u64) {
        self.local.log.info(event::bundle_rx(from, packet, size, size));
        report.packets += 1;
        report.bytes += size;
    }

    /// Takes one packet, or says why not.
    pub(super) fn receive_one<R: Read + Send>(
        &self,
        found: Found<'_, R>,
        receiving: &mut Receiving,
    ) -> Result<(), ReceiveError> {
        let (from, packet, size) = (found.header.sender, found.packet, found.size);
        if let Some(skip) = self.skipped(&found, &receiving.group) {
            self.local.log.debug(|| event::bundle_skip(skip, Xx::Rx, from, packet));
            receiving.report.skipped += 1;
            return Ok(());
        }
        match self.take(found, receiving)? {
            Ok(Taken::Copied) if receiving.group.is_full() => self.publish(receiving)?,
            Ok(Taken::Copied) => {}
            Ok(Taken::There(size)) => {
                self.local
                    .log
                    .debug(|| event::bundle_skip(BundleSkip::Exists, Xx::Rx, from, packet));
                receiving.report.packets += 1;
                receiving.report.bytes += size;
                receiving.report.there += 1;
            }
            Err(refused) => {
                self.publish(receiving)?;
                self.local.log.error(event::bundle_fault(Xx::Rx, from, packet, size), &refused);
                receiving.report.failed += 1;
            }
        }
        Ok(())
    }

    /// Why a packet is passed over.
    fn skipped<R>(&self, found: &Found<'_, R>, group: &Group<Copied>) -> Option<BundleSkip> {
        let from = found.header.sender;
        if found.header.nice > self.options.nice {
            Some(BundleSkip::TooNice)
        } else if found.header.recipient != self.local.node.self_neighbour().id
            || !self.wants(&from)
        {
            Some(BundleSkip::Others)
        } else if self.local.spool.is_seen(&from, &found.packet) || group.holds(&found.packet) {
            Some(BundleSkip::Exists)
        } else {
            None
        }
    }

    /// Whether packets from or to a node are asked for.
    pub(super) fn wants(&self, node: &NodeId) -> bool {
        let nodes = self.options.nodes;
        nodes.is_empty() || nodes.iter().any(|wanted| wanted.id == *node)
    }

    /// Takes a packet unless the spool has it. What is there is hashed without `-check` too, as
    /// what comes is.
    fn take<R: Read + Send>(
        &self,
        found: Found<'_, R>,
        receiving: &mut Receiving,
    ) -> Result<Result<Taken, Refused>, ReceiveError> {
        let (from, packet, size) = (found.header.sender, found.packet, found.size);
        match self.local.spool.present(&from, Xx::Rx, packet, &self.local.progress) {
            Ok(Present::Nothing) => {}
            Ok(Present::Good(size)) => return Ok(Ok(Taken::There(size))),
            Ok(Present::Damaged(damage)) if !self.options.dry_run => {
                self.local.log.info(event::spool_damaged(Xx::Rx, from, packet, &damage));
            }
            Ok(Present::Damaged(_)) => {}
            Err(obstacle) => return Ok(Err(obstacle.into())),
        }
        if self.options.dry_run {
            if self.hash(found)? != packet {
                return Ok(Err(Refused::Checksum));
            }
            self.count(&mut receiving.report, from, packet, size);
            return Ok(Ok(Taken::Copied));
        }
        match self.local.spool.room_for(size) {
            // The spool is made with its first packet, whatever is missing above it.
            Ok(()) | Err(SpaceError::Stat { .. }) => self.copy(found, receiving),
            Err(full) => Ok(Err(full.into())),
        }
    }

    fn copy<R: Read + Send>(
        &self,
        found: Found<'_, R>,
        receiving: &mut Receiving,
    ) -> Result<Result<Taken, Refused>, ReceiveError> {
        let (from, packet, size) = (found.header.sender, found.packet, found.size);
        let mut pending = self.local.spool.pending()?;
        let meter = self.local.progress.start(Work::Rx, &packet.to_string(), Some(size));
        let mut bytes = found.open();
        blocks::copy(meter.read(&mut bytes), &mut pending).map_err(ReceiveError::Copy)?;
        if bytes.left() > 0 {
            return Err(ReceiveError::Cut);
        }
        match receiving.group.add(pending, packet, from, Copied { from, packet, size }) {
            Ok(()) => Ok(Ok(Taken::Copied)),
            Err(CommitError::Mismatch { .. }) => Ok(Err(Refused::Checksum)),
            Err(CommitError::Disk(error)) => Err(error.into()),
        }
    }

    /// What a packet's bytes hash to.
    pub(super) fn hash<R: Read + Send>(
        &self,
        found: Found<'_, R>,
    ) -> Result<PacketHash, ReceiveError> {
        let meter =
            self.local.progress.start(Work::Check, &found.packet.to_string(), Some(found.size));
        let mut bytes = found.open();
        let hash = blocks::hash(meter.read(&mut bytes)).map_err(ReceiveError::Read)?;
        if bytes.left() > 0 {
            return Err(ReceiveError::Cut);
        }
        Ok(PacketHash(hash))
    }
}
