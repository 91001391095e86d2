//! `nncp-ack`: telling a neighbour that its packet arrived.

use super::error::QueueError;
use super::queue::{Parcel, Queued};
use super::route::{Destination, Via};
use crate::config::Neighbour;
use crate::local::Local;
use crate::progress::Work;
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::PlainHeader;

/// How an acknowledgement is sent.
#[derive(Debug, Clone)]
pub(crate) struct AckOptions {
    /// Its niceness, inside and outside.
    pub nice: Niceness,
    /// Padding, in bytes; `None` is what the configuration says for the recipient.
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
    /// Acknowledges `packet` to `to`, the neighbour in whose `rx/` it lies: only there its name is
    /// known.
    ///
    /// # Errors
    /// Nothing is left behind.
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
        };
        let queued = self.queue(Destination::Node(to), &options.via, &parcel, std::io::empty());
        self.told(to.peer(), options.nice, queued, |sent| sent.ack(packet))
    }
}
