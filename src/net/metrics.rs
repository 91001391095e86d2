//! Counters of the process, for monitoring.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Kinds of faults that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The handshake failed.
    Handshake,
    /// The caller's key is unknown.
    UnknownKey,
    /// The neighbour has another session.
    Busy,
    /// The peer violated the protocol.
    Protocol,
    /// The stream failed, or the peer stopped reading.
    Stream,
    /// A packet could not be stored, read, verified or removed.
    Packet,
    /// A connection could not be accepted.
    Accept,
}

const FAULTS: [(Fault, &str); 7] = [
    (Fault::Handshake, "handshake"),
    (Fault::UnknownKey, "unknown-key"),
    (Fault::Busy, "busy"),
    (Fault::Protocol, "protocol"),
    (Fault::Stream, "stream"),
    (Fault::Packet, "packet"),
    (Fault::Accept, "accept"),
];

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    pub(super) active: AtomicU64,
    pub(super) sessions: AtomicU64,
    pub(super) rx_bytes: AtomicU64,
    pub(super) tx_bytes: AtomicU64,
    pub(super) rx_packets: AtomicU64,
    pub(super) tx_packets: AtomicU64,
    faults: [AtomicU64; FAULTS.len()],
}

impl Metrics {
    pub(super) fn fault(&self, fault: Fault) {
        self.faults[fault as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn session_begins(&self) {
        self.active.fetch_add(1, Relaxed);
        self.sessions.fetch_add(1, Relaxed);
    }

    /// A session is over that received and sent so many bytes.
    pub(super) fn session_ends(&self, rx: u64, tx: u64) {
        self.active.fetch_sub(1, Relaxed);
        self.rx_bytes.fetch_add(rx, Relaxed);
        self.tx_bytes.fetch_add(tx, Relaxed);
    }

    /// The number of faults of each kind, with the name of the kind.
    pub(super) fn faults(&self) -> impl Iterator<Item = (&'static str, u64)> {
        FAULTS.iter().map(|(fault, name)| (*name, self.faults[*fault as usize].load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_where_they_are_named() {
        for (index, (fault, _)) in FAULTS.iter().enumerate() {
            assert_eq!(*fault as usize, index);
        }
    }
}
