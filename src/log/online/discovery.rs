//! The events of schedules and of discovery.

use super::super::record::Record;
use crate::log::event::Peer;

/// A scheduled call cannot be made (any more).
pub(crate) fn schedule(peer: Peer<'_>, call: usize) -> Record {
    Record::new("caller", format!("{} node, call {call}", peer.name))
        .field("Node", peer.id)
        .field("CallIndex", call)
}

/// The configuration was read again and is not fit for calling.
pub(crate) fn configuration() -> Record {
    Record::new("caller", "Reading the configuration again")
}

/// A neighbour was discovered at a new address.
pub(crate) fn discovered(interface: &str, peer: Peer<'_>, addr: &str) -> Record {
    Record::new("mcd-add", format!("MCD discovered {}'s address: {addr}", peer.name))
        .field("If", interface)
        .field("Node", peer.id)
}

/// Discovery does not work on an interface.
pub(crate) fn discovery(interface: &str, what: &str) -> Record {
    Record::new("mcd", format!("MCD {what} {interface}")).field("If", interface)
}
