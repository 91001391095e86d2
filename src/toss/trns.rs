//! Forwards a packet for another node: queues it for the next hop, unchanged or wrapped again.

use super::arrival::{Arrival, Reader};
use super::options::Toss;
use super::outcome::{Acted, Effect, failed};
use crate::blocks::ReadError;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::log::Record;
use crate::log::event::{Peer, Rx, Sent};
use crate::outbound::{QueueError, Via};
use crate::spool::{SpaceError, Xx};
use packmule_protocol::id::NodeId;
use packmule_protocol::packet::{Header, HeaderError};

/// Why a packet cannot be forwarded.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the content to forward is not a packet: {0}")]
    Header(#[from] HeaderError),
    #[error("the packet to forward is for {0}")]
    Recipient(NodeId),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Toss<'_> {
    pub(super) fn trns<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let next = match reader.plain().id() {
            Ok(id) => NodeId(id),
            Err(error) => return Err(self.unreadable(&arrival.rx, &error.into())),
        };
        let Some(to) = self.local.node.by_id(&next) else {
            let record = arrival.rx.trns_fault(next, TrnsFault::Unknown);
            return Err(failed(self, record, &"unknown node"));
        };
        self.relay(arrival, reader, to).map_err(|error| match error {
            RelayError::Read(error @ (ReadError::Packet(_) | ReadError::Source(_))) => {
                self.unreadable(&arrival.rx, &error)
            }
            error => failed(self, arrival.rx.trns_fault(next, TrnsFault::Tx), &error),
        })?;
        self.local.log.info(arrival.rx.trns(to.peer()));
        Ok(Effect::default())
    }

    fn relay<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        to: &Neighbour,
    ) -> Result<(), RelayError> {
        let spool = &self.local.spool;
        let inner = Header::parse(reader.front())?;
        if inner.recipient != to.id {
            return Err(RelayError::Recipient(inner.recipient));
        }
        let size = arrival.rx.size.unwrap_or(0);
        if self.options.dry_run {
            reader.verify()?;
            return Ok(());
        }
        if !to.via.is_empty() {
            self.local.wrap(to, &Via::Configured, arrival.rx.nice, size, reader)?;
            return Ok(());
        }
        spool.room_for(size)?;
        let mut pending = spool.pending()?;
        let size = reader.copy_to(&mut pending)?;
        let pkt = if to.id == self.local.node.self_neighbour().id {
            // The packet is for this node itself: toss it with those of other neighbours.
            pending.commit(&to.id, Xx::Rx, None)?
        } else {
            pending.finish()?.without_hdr().publish(&to.id, Xx::Tx, Some(&to.name))?
        };
        let peer = to.peer();
        let sent = Sent { to: peer, nice: arrival.rx.nice, size, pkt: Some(pkt) };
        self.local.log.info(sent.trns());
        Ok(())
    }
}

/// A fault of a transitional packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrnsFault {
    /// Its recipient is not in the configuration.
    Unknown,
    /// It cannot be queued.
    Tx,
}

/// The log records of transitional packets.
impl Rx<'_> {
    /// A transitional packet was queued for its next hop.
    fn trns(&self, to: Peer<'_>) -> Record {
        let (from, size) = (self.name(), self.payload());
        self.record("rx", format!("Got transitional packet from {from} to {} ({size})", to.name))
            .field("Type", "trns")
            .field("Dst", to.id)
    }

    /// A transitional packet could not be queued.
    fn trns_fault(&self, to: NodeId, fault: TrnsFault) -> Record {
        let (who, step) = match fault {
            TrnsFault::Unknown => ("rx-unknown", ""),
            TrnsFault::Tx => ("rx-tx", ": txing"),
        };
        self.record(who, format!("{}: {to}{step}", self.head("trns")))
            .field("Type", "trns")
            .field("Dst", to)
    }
}
