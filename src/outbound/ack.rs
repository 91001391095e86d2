//! `nncp-ack`: acknowledges a packet to the neighbour that sent it.

use super::error::QueueError;
use super::queue::{Parcel, Queued};
use super::route::{Destination, Via};
use crate::config::Neighbour;
use crate::local::Local;
use crate::progress::Work;
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::PlainHeader;

/// Options for an acknowledgement.
#[derive(Debug, Clone)]
pub(crate) struct AckOptions {
    /// Its niceness, in both headers.
    pub nice: Niceness,
    /// Minimum size in bytes; `None` for the configured one.
    pub minimum: Option<u64>,
    /// Relays.
    pub via: Via,
}

impl Default for AckOptions {
    fn default() -> Self {
        Self { nice: Niceness::NORMAL, minimum: None, via: Via::Configured }
    }
}

impl Local {
    /// Acknowledges `packet` to `to`, the neighbour whose `rx/` has it. Only that neighbour knows
    /// the packet by this name.
    ///
    /// # Errors
    /// Nothing is queued then.
    pub(crate) fn ack<'a>(
        &'a self,
        to: &'a Neighbour,
        packet: PacketHash,
        options: &AckOptions,
    ) -> Result<Queued, QueueError> {
        let parcel = Parcel {
            plain: PlainHeader::ack(&packet, options.nice),
            nice: options.nice,
            minimum: options.minimum.unwrap_or(to.ack.minsize),
            maximum: None,
            size: Some(0),
            shown: packet.to_string(),
            work: Work::Tx,
            batch: None,
            follow: None,
        };
        let queued = self.queue(Destination::Node(to), &options.via, &parcel, std::io::empty());
        self.logged(to.peer(), options.nice, queued, |sent| sent.ack(packet))
    }
}
