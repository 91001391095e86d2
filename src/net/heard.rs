//! The addresses that neighbours announced by multicast.
//!
//! Announcements are neither signed nor encrypted, so such an address is only a hint. It is tried
//! before the configured ones with a short timeout, there are few per neighbour, and they expire.

use super::address::Address;
use packmule_protocol::id::NodeId;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// An address expires if it is not announced again within this time.
const EXPIRY: Duration = Duration::from_secs(120);
/// Number of addresses per neighbour; the newest are kept.
const MAX_HEARD: usize = 4;

/// The announced addresses.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<HashMap<NodeId, Vec<Source>>>);

#[derive(Debug, Clone)]
struct Source {
    /// In the form for connecting: `[address%interface]:port`.
    address: String,
    seen: Instant,
}

impl Heard {
    /// Stores an announced address. Returns true if it is new.
    pub(super) fn note(&self, node: NodeId, address: String, now: Instant) -> bool {
        let mut heard = self.0.lock().expect("nobody panics with it");
        let sources = heard.entry(node).or_default();
        let known = sources.len();
        sources.retain(|source| source.address != address);
        let new = sources.len() == known;
        sources.insert(0, Source { address, seen: now });
        sources.truncate(MAX_HEARD);
        new
    }

    /// True if this address was announced, so that it is not a configured one.
    pub(super) fn has(&self, node: &NodeId, address: &Address) -> bool {
        let heard = self.0.lock().expect("nobody panics with it");
        let Address::Tcp(address) = address else { return false };
        heard
            .get(node)
            .is_some_and(|sources| sources.iter().any(|source| source.address == *address))
    }

    /// The addresses that a neighbour announced recently, newest first.
    pub(super) fn of(&self, node: &NodeId, now: Instant) -> Vec<Address> {
        let mut heard = self.0.lock().expect("nobody panics with it");
        let Some(sources) = heard.get_mut(node) else { return Vec::new() };
        sources.retain(|source| now < source.seen + EXPIRY);
        sources.iter().map(|source| Address::Tcp(source.address.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([1; 32]);

    #[test]
    fn heard_addresses_are_few_newest_first_and_age() {
        let heard = Heard::default();
        let start = Instant::now();
        for port in 0..10 {
            let now = start + Duration::from_secs(port);
            assert!(heard.note(NODE, format!("[fe80::1%eth0]:{port}"), now));
        }
        assert!(!heard.note(NODE, "[fe80::1%eth0]:7".into(), start + Duration::from_secs(10)));
        let address = |port: u16| Address::Tcp(format!("[fe80::1%eth0]:{port}"));
        let later = start + Duration::from_secs(11);
        assert_eq!(heard.of(&NODE, later), [7, 9, 8, 6].map(address));
        assert_eq!(heard.of(&NODE, start + Duration::from_secs(129)), [7].map(address));
        assert_eq!(heard.of(&NODE, start + Duration::from_secs(131)), []);
        assert_eq!(heard.of(&NodeId([2; 32]), start), []);
    }
}
