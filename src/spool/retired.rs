//! The packets that this process has acted on and removed.
//!
//! A peer that did not hear our DONE offers its packet again. Nothing of it is left when it was
//! tossed meanwhile, so its name is remembered. Whether a DONE was heard is never known for sure: a
//! name is forgotten only for newer ones. What has to outlive the process is marked as seen.

use packmule_protocol::id::{NodeId, PacketHash};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Names that are remembered of each neighbour: more than fit on a line whose end nobody heard.
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
    /// Remembers a packet from `node`.
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

    /// Whether a packet from `node` is remembered.
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
