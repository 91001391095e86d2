//! Processes an acknowledgement: removes the packet that it names from the queue for its sender.
//! An acknowledgement with the path of statements is a statement.

use super::arrival::{Arrival, Author, Reader};
use super::options::Toss;
use super::outcome::{Acted, Effect, failed};
use crate::ledger::{HandedBy, LedgerError};
use crate::log::Record;
use crate::log::event::Rx;
use crate::spool::Xx;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::PATH;

impl Toss<'_> {
    pub(super) fn ack<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let acked = match reader.plain().id() {
            Ok(PATH) => return self.statement(arrival, reader),
            Ok(id) => PacketHash(id),
            Err(error) => return Err(self.unreadable(&arrival.rx, &error.into())),
        };
        reader.verify().map_err(|error| self.unreadable(&arrival.rx, &error))?;
        // Only from the queue for the signer, so that nobody can remove packets for others.
        let signer = arrival.author.peer.id;
        if !self.options.dry_run {
            match self.withdraw(&arrival.author, &signer, &acked) {
                Ok(true) => {}
                Ok(false) => self.local.log.debug(|| arrival.rx.ack_gone(acked)),
                Err(error) => return Err(failed(self, arrival.rx.ack_fault(acked), &error)),
            }
        }
        self.local.log.info(arrival.rx.ack(acked));
        Ok(Effect::default())
    }

    /// Removes a packet that the signer has; whether it was there. One that is followed is kept until it
    /// is proven to be done, unless an acknowledgement of its destination is enough.
    fn withdraw(
        &self,
        author: &Author<'_>,
        signer: &NodeId,
        acked: &PacketHash,
    ) -> Result<bool, LedgerError> {
        let (ledger, now) = (&self.local.ledger, self.local.now());
        let followed = if ledger.exists() { ledger.find(signer, acked)? } else { None };
        let Some(followed) = followed else {
            return Ok(self.local.spool.withdraw(signer, Xx::Tx, acked)?);
        };
        let terms = author.neighbour.and_then(|neighbour| neighbour.proof.asked());
        if followed.to() == *signer && terms.is_some_and(|terms| terms.accepts_ack) {
            return ledger.forget(signer, acked);
        }
        let was_there = ledger.release_named(signer, acked, HandedBy::Unknown, now)?;
        ledger.note_got(signer, acked, now)?;
        Ok(was_there)
    }
}

/// The log records of acknowledgements.
impl Rx<'_> {
    /// An acknowledgement arrived, and the packet that it names was removed.
    fn ack(&self, acked: PacketHash) -> Record {
        self.record("rx", format!("Got ACK packet from {} of {acked}", self.name()))
            .field("Type", "ack")
            .field("Pkt", acked)
    }

    /// An acknowledgement arrived, but the packet that it names was removed before.
    fn ack_gone(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: already disappeared", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }

    /// The packet that an acknowledgement names cannot be removed.
    fn ack_fault(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: removing packet", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }
}
