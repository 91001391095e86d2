//! The packets that this side announces to the peer, each once per session.

use super::message::{INFO_LEN, Info, Message};
use crate::id::PacketHash;
use crate::niceness::Niceness;
use std::collections::{BTreeMap, HashMap};

/// A packet that one side has for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The packet's hash.
    pub hash: PacketHash,
    /// Its priority.
    pub nice: Niceness,
    /// Size of the whole packet in bytes.
    pub size: u64,
}

/// A number of packets and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Number of packets.
    pub packets: u64,
    /// Their total size in bytes. Saturating, since peers can announce any size.
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

/// The packets that were announced or are about to be.
#[derive(Debug, Default)]
pub(super) struct Offers {
    known: HashMap<PacketHash, Known>,
    /// Packets that are not announced yet: most urgent first, then in order of arrival.
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

/// The state of a packet of this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It was offered, or is about to be, and the peer has requested no byte of it.
    Offered,
    /// The peer requested bytes of it, and its last byte was not sent.
    Requested,
    /// It was sent to its end, and the peer did not confirm it.
    Sent,
    /// The peer confirmed it.
    Delivered,
}

/// A packet of this side that the peer did not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The packet's hash.
    pub hash: PacketHash,
    /// Size of the whole packet in bytes.
    pub size: u64,
    /// Its state.
    pub reached: Reached,
}

impl Offers {
    /// Adds the packets that were not offered before. Returns their total.
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

    /// The total of all offered packets.
    pub(super) fn total(&self) -> Total {
        self.total
    }

    /// Appends announcements to `out`, as many as fit into `room` bytes.
    pub(super) fn announce(&mut self, out: &mut Vec<u8>, room: usize) {
        for _ in 0..room / INFO_LEN {
            let Some((_, Offer { hash, nice, size })) = self.pending.pop_first() else { return };
            Message::Info(Info { nice: nice.get(), size, hash }).encode(out);
        }
    }

    /// Niceness and size of a packet that the peer may request.
    pub(super) fn find(&self, hash: &PacketHash) -> Option<(Niceness, u64)> {
        let known = self.known.get(hash).filter(|known| known.reached < Reached::Delivered)?;
        Some((known.nice, known.size))
    }

    /// Updates the state of a packet.
    pub(super) fn reach(&mut self, hash: &PacketHash, reached: Reached) {
        if let Some(known) = self.known.get_mut(hash)
            && (reached == Reached::Requested || known.reached == Reached::Requested)
        {
            known.reached = reached;
        }
    }

    /// Handles a confirmation. Returns true if the packet was offered and not confirmed before.
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
