//! The packets we announce to the peer, each once in a session.

use super::message::{INFO_LEN, Info, Message};
use crate::id::PacketHash;
use crate::niceness::Niceness;
use std::collections::{BTreeMap, HashMap};

/// A packet that one side holds for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The packet's name.
    pub hash: PacketHash,
    /// Its priority.
    pub nice: Niceness,
    /// The whole packet, in bytes.
    pub size: u64,
}

/// How much was announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Number of packets.
    pub packets: u64,
    /// Their sizes together, in bytes; saturating, for peers say what they want.
    pub bytes: u64,
}

impl Total {
    pub(super) fn add(&mut self, size: u64) {
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
    }

    pub(super) fn remove(&mut self, size: u64) {
        self.packets = self.packets.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
    }
}

/// What we announced, and what we are about to announce.
#[derive(Debug, Default)]
pub(super) struct Offers {
    known: HashMap<PacketHash, Known>,
    /// Not announced yet, most urgent first, then in the order they came.
    pending: BTreeMap<(Niceness, u64), Offer>,
    sequence: u64,
    total: Total,
}

#[derive(Debug)]
struct Known {
    nice: Niceness,
    size: u64,
    reached: Reached,
}

/// How far a packet of ours came in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It was offered, or was about to be, and the peer did not ask for any byte of it.
    Offered,
    /// The peer asked for bytes of it, and the last one was not sent.
    Requested,
    /// It was sent to its end, and the peer did not confirm it.
    Sent,
    /// The peer confirmed it.
    Delivered,
}

/// A packet of ours that the peer did not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The packet's name.
    pub hash: PacketHash,
    /// The whole packet, in bytes.
    pub size: u64,
    /// How far it came.
    pub reached: Reached,
}

impl Offers {
    /// Takes the packets that were not offered before; how much that was.
    pub(super) fn add(&mut self, offers: impl IntoIterator<Item = Offer>) -> Total {
        let mut total = Total::default();
        for offer in offers {
            if self.known.contains_key(&offer.hash) {
                continue;
            }
            let known = Known { nice: offer.nice, size: offer.size, reached: Reached::Offered };
            self.known.insert(offer.hash, known);
            self.pending.insert((offer.nice, self.sequence), offer);
            self.sequence += 1;
            total.add(offer.size);
            self.total.add(offer.size);
        }
        total
    }

    /// All that was offered.
    pub(super) fn total(&self) -> Total {
        self.total
    }

    /// Appends as many announcements as `room` bytes hold.
    pub(super) fn announce(&mut self, out: &mut Vec<u8>, room: usize) {
        for _ in 0..room / INFO_LEN {
            let Some((_, Offer { hash, nice, size })) = self.pending.pop_first() else { return };
            Message::Info(Info { nice: nice.get(), size, hash }).encode(out);
        }
    }

    /// Niceness and size of a packet that the peer may ask for.
    pub(super) fn find(&self, hash: &PacketHash) -> Option<(Niceness, u64)> {
        let known = self.known.get(hash).filter(|known| known.reached < Reached::Delivered)?;
        Some((known.nice, known.size))
    }

    /// The peer asked for bytes of a packet, or the last one was sent of a packet it asked for.
    pub(super) fn reach(&mut self, hash: &PacketHash, reached: Reached) {
        if let Some(known) = self.known.get_mut(hash)
            && (reached == Reached::Requested || known.reached == Reached::Requested)
        {
            known.reached = reached;
        }
    }

    /// The peer says it has the packet: whether that was ours to be said, and said first.
    pub(super) fn deliver(&mut self, hash: &PacketHash) -> bool {
        let Some(known) = self.known.get_mut(hash) else { return false };
        std::mem::replace(&mut known.reached, Reached::Delivered) < Reached::Delivered
    }

    /// The packets that the peer did not confirm.
    pub(super) fn unconfirmed(&self) -> Vec<Unconfirmed> {
        let open = self.known.iter().filter(|(_, known)| known.reached < Reached::Delivered);
        open.map(|(hash, known)| Unconfirmed {
            hash: *hash,
            size: known.size,
            reached: known.reached,
        })
        .collect()
    }
}
