//! The events at the start and end of calls.

use super::super::record::Record;
use crate::display::Size;
use crate::log::event::{Peer, Xx};
use packmule_protocol::base32;
use packmule_protocol::keys::NoisePublic;
use packmule_protocol::niceness::Niceness;
use std::fmt;
use std::time::Duration;

/// The figures of a finished session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Duration of the session.
    pub duration: Duration,
    /// Bytes received, including frames.
    pub rx: u64,
    /// Time from the start to the last frame received.
    pub rx_time: Duration,
    /// Bytes sent.
    pub tx: u64,
    /// Time from the start to the last frame sent.
    pub tx_time: Duration,
}

fn speed(bytes: u64, time: Duration) -> u64 {
    bytes / time.as_secs().max(1)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.duration.as_secs();
        write!(
            f,
            "({}:{}:{}): {} received ({}/sec), {} transferred ({}/sec)",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            Size(self.rx),
            Size(speed(self.rx, self.rx_time)),
            Size(self.tx),
            Size(speed(self.tx, self.tx_time)),
        )
    }
}

/// An address is being called.
pub(crate) fn calling(peer: Peer<'_>, addr: &str) -> Record {
    Record::new("calling", format!("Calling {} ({addr})", peer.name))
        .field("Node", peer.id)
        .field("Addr", addr)
}

/// This node's call passed the handshake.
pub(crate) fn call_started(peer: Peer<'_>, addr: &str) -> Record {
    Record::new("call-started", format!("Connection to {} ({addr})", peer.name))
        .field("Node", peer.id)
        .field("Addr", addr)
}

/// A neighbour's call passed the handshake.
pub(crate) fn answer_started(peer: Peer<'_>, addr: &str) -> Record {
    Record::new("call-started", format!("Connection with {} ({addr})", peer.name))
        .field("Node", peer.id)
}

/// A connection that did not become a session.
pub(crate) fn answer_unknown(addr: &str) -> Record {
    Record::new("call-started", format!("Connected to unknown ({addr})")).field("Node", "unknown")
}

/// A call has ended.
pub(crate) fn call_finished(peer: Peer<'_>, addr: &str, figures: &Figures) -> Record {
    Record::new("call-finished", format!("Finished call with {} {figures}", peer.name))
        .field("Node", peer.id)
        .field("Addr", addr)
        .field("Duration", figures.duration.as_secs())
        .field("RxBytes", figures.rx)
        .field("RxSpeed", speed(figures.rx, figures.rx_time))
        .field("TxBytes", figures.tx)
        .field("TxSpeed", speed(figures.tx, figures.tx_time))
}

/// Packets that were not transferred in this direction when the call ended.
pub(crate) fn left(peer: Peer<'_>, xx: Xx, packets: u64, bytes: u64) -> Record {
    let way = match xx {
        Xx::Tx => "to",
        Xx::Rx => "from",
    };
    let name = peer.name;
    let size = Size(bytes);
    let text = format!("Call with {name} is over, {packets} packets, {size} {way} {name} are left");
    Record::new("call-left", text)
        .field("XX", xx)
        .field("Node", peer.id)
        .field("Pkts", packets)
        .field("Size", bytes)
}

/// An answered call has ended. The reference has these fields in another order.
pub(crate) fn answer_finished(peer: Peer<'_>, figures: &Figures) -> Record {
    Record::new("call-finished", format!("Finished call with {} {figures}", peer.name))
        .field("Node", peer.id)
        .field("Duration", figures.duration.as_secs())
        .field("RxBytes", figures.rx)
        .field("TxBytes", figures.tx)
        .field("RxSpeed", speed(figures.rx, figures.rx_time))
        .field("TxSpeed", speed(figures.tx, figures.tx_time))
}

/// The first message is missing or invalid; the caller is unknown.
pub(crate) fn first_message(limit: Niceness, addr: &str) -> Record {
    let text = format!("SP nice {limit}: waiting for first message ({addr})");
    Record::new("sp-startR-read", text).field("Nice", limit.get())
}

/// The first message has a key of no neighbour.
pub(crate) fn unknown_key(limit: Niceness, key: &NoisePublic, addr: &str) -> Record {
    let key = base32::encode(&key.0);
    let text = format!("SP nice {limit}: unknown peer {key} ({addr})");
    Record::new("sp-startR-unknown", text).field("Nice", limit.get()).field("Peer", key)
}

/// The listener could not accept a connection.
pub(crate) fn accepting() -> Record {
    Record::new("daemon-accepted", "Accepting connections")
}

#[cfg(test)]
mod tests {
    use super::*;
    use packmule_protocol::id::NodeId;

    const PEER: Peer<'_> = Peer { id: NodeId([1; 32]), name: "relay" };

    fn names(record: &Record) -> Vec<&'static str> {
        record.fields().map(|(name, _)| name).collect()
    }

    #[test]
    fn the_sentence_of_a_call_is_the_references() {
        assert_eq!(calling(PEER, "127.0.0.1:1").message(), "Calling relay (127.0.0.1:1)");
    }

    #[test]
    fn the_fields_of_a_call_stand_in_the_references_order() {
        let figures = Figures {
            duration: Duration::from_secs(2),
            rx: 334_848,
            rx_time: Duration::from_millis(300),
            tx: 334_848,
            tx_time: Duration::from_secs(2),
        };
        let call = call_finished(PEER, "a:1", &figures);
        assert_eq!(
            names(&call),
            ["Node", "Addr", "Duration", "RxBytes", "RxSpeed", "TxBytes", "TxSpeed"]
        );
        assert_eq!(
            call.message(),
            "Finished call with relay (0:0:2): 327 KiB received (327 KiB/sec), \
             327 KiB transferred (164 KiB/sec)"
        );
        assert_eq!(
            names(&answer_finished(PEER, &figures)),
            ["Node", "Duration", "RxBytes", "TxBytes", "RxSpeed", "TxSpeed"]
        );
    }
}
