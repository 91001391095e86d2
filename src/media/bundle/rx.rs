//! Receives packets from a bundle into the spool.

use super::Bundle;
use super::search::{Found, Search};
use crate::disk::DiskError;
use crate::ledger::LedgerError;
use crate::local::Local;
use crate::log::event::{self, BundleSkip};
use crate::media::intake::{Intake, Listed, Medium, Opened, Refused, Skip};
use crate::media::{Broken, Report};
use crate::spool::Xx;
use crate::unpack::Foreign;
use packmule_protocol::packet::Header;
use std::io::{self, Read};

/// A bundle cannot be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The stream failed.
    #[error("reading the bundle: {0}")]
    Read(io::Error),
    /// The stream ends inside a packet. Nothing of that packet was kept.
    #[error("Error during copying: unexpected EOF")]
    Cut,
    /// The stream holds no packet and is of another format.
    #[error("the bundle is {}: pipe it through `{}` first", .0.form, .0.reader)]
    Foreign(Foreign),
    /// An operation on the disk failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A packet that is followed could not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The packet could not be written.
    #[error("Error during copying: {0}")]
    Copy(io::Error),
}

/// A stream of bundles. The place of a packet is its size in bytes, since a stream has no paths.
pub(super) struct Stream<'a>(&'a Local);

impl Bundle<'_> {
    /// Stores the packets for us from `source`. Verifies each against its name first.
    ///
    /// # Errors
    /// [`ReceiveError`]. Packets stored before it are kept. Faults of single packets are only logged
    /// and counted.
    pub fn receive(&self, source: impl Read + Send) -> Result<Report, Broken<ReceiveError>> {
        self.receiving(|intake| {
            let mut search = Search::new(source);
            while let Some(found) = search.next_packet().map_err(ReceiveError::Read)? {
                self.receive_one(found, intake)?;
            }
            search.foreign().map_or(Ok(()), |foreign| Err(ReceiveError::Foreign(foreign)))
        })
    }

    /// Runs `work`, which finds the packets. Keeps packets that were complete before an error.
    pub(super) fn receiving(
        &self,
        work: impl FnOnce(&mut Intake<'_, Stream<'_>>) -> Result<(), ReceiveError>,
    ) -> Result<Report, Broken<ReceiveError>> {
        let stream = Stream(self.local);
        let intake = Intake::new(self.local, self.options, &stream, Xx::Rx).dry_run(self.dry_run);
        let intake = if self.hdr { intake } else { intake.without_hdr() };
        intake.run(work)
    }

    /// Stores one packet, or logs why not.
    pub(super) fn receive_one<R: Read + Send>(
        &self,
        found: Found<'_, R>,
        intake: &mut Intake<'_, Stream<'_>>,
    ) -> Result<(), ReceiveError> {
        let (from, packet) = (found.header.sender, found.packet);
        let own = self.local.node.self_neighbour().id;
        if found.header.recipient != own || !self.options.wants(&from) {
            let skip = || event::bundle_skip(BundleSkip::Others, Xx::Rx, from, packet);
            self.local.log.debug(skip);
            intake.report().skipped += 1;
            return Ok(());
        }
        let listed = Listed { node: from, packet, place: found.size };
        intake.take(&listed, || Ok(found))
    }
}

impl Medium for Stream<'_> {
    type Place = u64;
    type Broken = ReceiveError;

    /// The reference creates it too.
    const MAKES_SPOOL: bool = true;

    fn received(&self, packet: &Listed<u64>, size: u64) {
        self.0.log.info(event::bundle_rx(packet.node, packet.packet, size, size));
    }

    fn was_there(&self, packet: &Listed<u64>, _: u64) {
        self.skip(packet, BundleSkip::Exists);
    }

    fn skipped(&self, packet: &Listed<u64>, why: Skip) {
        self.skip(
            packet,
            match why {
                Skip::Seen | Skip::Held => BundleSkip::Exists,
                Skip::TooNice => BundleSkip::TooNice,
            },
        );
    }

    fn refused(&self, packet: &Listed<u64>, why: Refused) -> Result<(), ReceiveError> {
        let record = event::bundle_fault(Xx::Rx, packet.node, packet.packet, packet.place);
        match why {
            Refused::Altered(_) => self.0.log.error(record, &"bad checksum"),
            Refused::InTheWay(_) | Refused::Space(_) => self.0.log.error(record, &why),
            broken => return Err(ReceiveError::from_refused(broken)),
        }
        Ok(())
    }
}

impl Stream<'_> {
    fn skip(&self, packet: &Listed<u64>, why: BundleSkip) {
        self.0.log.debug(|| event::bundle_skip(why, Xx::Rx, packet.node, packet.packet));
    }
}

impl ReceiveError {
    /// Converts an error that ends the whole stream, because a stream cannot be read again.
    pub(super) fn from_refused(refused: Refused) -> Self {
        match refused {
            Refused::Cut => Self::Cut,
            Refused::Copy(error) => Self::Copy(error),
            Refused::Disk(error) | Refused::Commit(error) => Self::Disk(error),
            Refused::Ledger(error) => Self::Ledger(error),
            Refused::Read(error) => Self::Read(error),
            other => Self::Read(io::Error::other(other)),
        }
    }
}

impl<R: Read + Send> Opened for Found<'_, R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn bytes(self) -> impl Read + Send {
        self.open()
    }
}
