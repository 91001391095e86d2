//! An acknowledgement: the packet that it names, queued for its sender, is removed.

use super::arrival::{Arrival, Reader};
use super::options::Toss;
use super::outcome::{Acted, Effect, failed};
use crate::log::Record;
use crate::log::event::Rx;
use crate::spool::Xx;
use packmule_protocol::id::PacketHash;

impl Toss<'_> {
    pub(super) fn ack<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let acked = match reader.plain().id() {
            Ok(id) => PacketHash(id),
            Err(error) => return Err(self.unreadable(&arrival.rx, &error.into())),
        };
        reader.verify().map_err(|error| self.unreadable(&arrival.rx, &error))?;
        // Only what waits for the signer himself: nobody can remove others' packets.
        let signer = arrival.author.peer.id;
        if !self.options.dry_run {
            match self.local.spool.withdraw(&signer, Xx::Tx, &acked) {
                Ok(true) => {}
                Ok(false) => self.local.log.debug(|| arrival.rx.ack_gone(acked)),
                Err(error) => return Err(failed(self, arrival.rx.ack_fault(acked), &error)),
            }
        }
        self.local.log.info(arrival.rx.ack(acked));
        Ok(Effect::default())
    }
}

/// What is logged of an acknowledgement.
impl Rx<'_> {
    /// An acknowledgement arrived, and what it names is gone.
    fn ack(&self, acked: PacketHash) -> Record {
        self.record("rx", format!("Got ACK packet from {} of {acked}", self.name()))
            .field("Type", "ack")
            .field("Pkt", acked)
    }

    /// What an acknowledgement names was gone already.
    fn ack_gone(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: already disappeared", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }

    /// What an acknowledgement names can not be removed.
    fn ack_fault(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: removing packet", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }
}
