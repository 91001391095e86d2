//! Remembers the packets that this process has tossed and removed.
//!
//! A peer that did not receive our DONE offers its packet again. If toss has removed the packet
//! meanwhile, only its name here prevents a second transfer. Since nothing confirms a DONE, a name
//! is dropped only for newer ones. Seen marks do the same beyond the life of the process.

use packmule_protocol::id::{NodeId, PacketHash};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Maximal number of names for each neighbour: more than can be unconfirmed on one connection.
const MOST: usize = 1 << 15;

/// The newest names of each neighbour.
#[derive(Debug, Default)]
pub(super) struct Retired(Mutex<HashMap<NodeId, Names>>);

#[derive(Debug, Default)]
struct Names {
    known: HashSet<PacketHash>,
    order: VecDeque<PacketHash>,
}

impl Retired {
    /// Adds a packet from `node`.
    pub(super) fn note(&self, node: &NodeId, hash: &PacketHash) {
        let mut nodes = self.lock();
        let names = nodes.entry(*node).or_default();
        if names.known.insert(*hash) {
            names.order.push_back(*hash);
        }
        if names.order.len() > MOST
            && let Some(oldest) = names.order.pop_front()
        {
            names.known.remove(&oldest);
        }
    }

    /// True if a packet from `node` is remembered.
    pub(super) fn has(&self, node: &NodeId, hash: &PacketHash) -> bool {
        self.lock().get(node).is_some_and(|names| names.known.contains(hash))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Names>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> PacketHash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        PacketHash(hash)
    }

    #[test]
    fn the_oldest_names_of_a_neighbour_make_room_for_its_own_only() {
        let (one, other) = (NodeId([1; 32]), NodeId([2; 32]));
        let retired = Retired::default();
        retired.note(&other, &hash(0));
        for number in 0..MOST + 5 {
            retired.note(&one, &hash(number));
            retired.note(&one, &hash(number));
        }
        assert!(!retired.has(&one, &hash(4)) && retired.has(&one, &hash(5)));
        assert!(retired.has(&other, &hash(0)) && !retired.has(&other, &hash(5)));
        let nodes = retired.lock();
        assert_eq!((nodes[&one].known.len(), nodes[&one].order.len()), (MOST, MOST));
    }
}
