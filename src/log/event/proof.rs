//! Statements, and what follows from them.

use super::Peer;
use crate::log::Record;
use packmule_protocol::id::{NodeId, PacketHash};

/// A statement for `to` was queued.
pub(crate) fn statement_sent(to: Peer<'_>, number: u64, pkt: PacketHash) -> Record {
    Record::new("tx", format!("Statement to {} is sent", to.name))
        .field("Type", "statement")
        .field("Node", to.id)
        .field("Number", number)
        .field("Pkt", pkt)
}

/// No statement for `to` can be made, as [`Log::error`](crate::log::Log::error) says why.
pub(crate) fn statement_unsent(to: Peer<'_>) -> Record {
    Record::new("tx", format!("Statement to {}", to.name))
        .field("Type", "statement")
        .field("Node", to.id)
}

/// Packets for `to` are offered again because nobody said anything of them for too long.
pub(crate) fn offered_again(to: NodeId, name: &str, packets: u64) -> Record {
    let text =
        format!("{packets} packets for {name} are offered again: nobody said anything of them");
    Record::new("offered-again", text).field("Node", to).field("Packets", packets)
}
