//! The packets that the peer requested: their order, and the bytes read ahead for them.

use super::message::{FILE_OVERHEAD, File, Message};
use crate::id::PacketHash;
use crate::niceness::Niceness;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Limit for the bytes of a packet in one message, as in the reference.
pub const MAX_CHUNK: usize = super::MAX_PAYLOAD - FILE_OVERHEAD;
/// Bytes per read: several chunks, so that one disk access serves as many frames.
const READ: usize = 8 * MAX_CHUNK;
/// Limits for bytes and pieces that are being read or wait to be sent.
const READ_AHEAD: usize = 4 * READ;
const MAX_PIECES: usize = 64;

/// Bytes of a packet that the session needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Identifies this request in the answer.
    pub ticket: u64,
    /// The packet.
    pub hash: PacketHash,
    /// Offset of the first byte.
    pub offset: u64,
    /// Number of bytes, at least one.
    pub len: usize,
}

/// The queue of packets to send.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Requested packets: most urgent first; within a niceness, in the order of requests.
    wanted: BTreeMap<Turn, Wanted>,
    /// The place of each packet in `wanted`, which contains it only once.
    turns: HashMap<PacketHash, Turn>,
    wishes: u64,
    /// Pieces in the order in which they are sent.
    pieces: VecDeque<Piece>,
    tickets: u64,
}

/// The order of packets: by niceness, then by the number of the request.
type Turn = (Niceness, u64);

/// The part of a packet that is still to be read.
#[derive(Debug)]
struct Wanted {
    hash: PacketHash,
    size: u64,
    next: u64,
}

/// A part of a packet that is being read, or waits to be sent.
#[derive(Debug)]
struct Piece {
    read: Read,
    size: u64,
    /// `None` while it is being read.
    data: Option<Vec<u8>>,
    sent: usize,
}

impl Outgoing {
    /// Handles a request for the packet from `offset` on. A second request replaces the first, so
    /// that no byte is sent twice.
    pub(super) fn want(&mut self, hash: PacketHash, nice: Niceness, size: u64, offset: u64) {
        self.forget(&hash);
        let turn = (nice, self.wishes);
        self.wishes += 1;
        self.turns.insert(hash, turn);
        self.wanted.insert(turn, Wanted { hash, size, next: offset });
    }

    /// Drops the packet.
    pub(super) fn forget(&mut self, hash: &PacketHash) {
        if let Some(turn) = self.turns.remove(hash) {
            self.wanted.remove(&turn);
        }
        self.pieces.retain(|piece| piece.read.hash != *hash);
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.wanted.clear();
        self.turns.clear();
        self.pieces.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.pieces.is_empty()
    }

    /// True if bytes are being read.
    pub(super) fn is_reading(&self) -> bool {
        self.pieces.iter().any(|piece| piece.data.is_none())
    }

    /// The next bytes to read, if the limits allow it.
    pub(super) fn next_read(&mut self) -> Option<Read> {
        loop {
            let ahead: usize = self.pieces.iter().map(|piece| piece.read.len).sum();
            if ahead + READ > READ_AHEAD || self.pieces.len() >= MAX_PIECES {
                return None;
            }
            let mut first = self.wanted.first_entry()?;
            let wanted = first.get_mut();
            let left = wanted.size - wanted.next;
            let len = usize::try_from(left).map_or(READ, |left| left.min(READ));
            let read = Read { ticket: self.tickets, hash: wanted.hash, offset: wanted.next, len };
            self.tickets += 1;
            let size = wanted.size;
            // The peer has all bytes and lacks only the confirmation: send one empty chunk.
            let data = (len == 0).then(Vec::new);
            wanted.next += len as u64;
            if wanted.next == wanted.size {
                self.turns.remove(&read.hash);
                first.remove();
            }
            self.pieces.push_back(Piece { read, size, data, sent: 0 });
            if len > 0 {
                return Some(read);
            }
        }
    }

    /// Supplies the bytes of a read, or `None` if it failed. Returns the packet that failed, which
    /// is dropped.
    pub(super) fn supply(&mut self, ticket: u64, data: Option<Vec<u8>>) -> Option<PacketHash> {
        let piece = self.pieces.iter_mut().find(|piece| piece.read.ticket == ticket)?;
        match data {
            Some(data) if data.len() == piece.read.len => {
                piece.data = Some(data);
                None
            }
            _ => {
                let hash = piece.read.hash;
                self.forget(&hash);
                Some(hash)
            }
        }
    }

    /// True if a chunk can be sent now.
    pub(super) fn is_ready(&self) -> bool {
        self.pieces.front().is_some_and(|piece| piece.data.is_some())
    }

    /// Appends the next chunk, of at most `most` bytes. Returns the packet if this was its last
    /// chunk.
    pub(super) fn send(&mut self, out: &mut Vec<u8>, most: usize) -> Option<PacketHash> {
        let piece = self.pieces.front_mut()?;
        let data = piece.data.as_ref()?;
        let left = &data[piece.sent..];
        let chunk = &left[..left.len().min(most)];
        let offset = piece.read.offset + piece.sent as u64;
        Message::File(File { hash: piece.read.hash, offset, data: chunk }).encode(out);
        piece.sent += chunk.len();
        let last = offset + chunk.len() as u64 == piece.size;
        let hash = piece.read.hash;
        if piece.sent == piece.read.len {
            self.pieces.pop_front();
        }
        last.then_some(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn hash(id: u8) -> PacketHash {
        PacketHash([id; 32])
    }

    fn nice(value: u8) -> Niceness {
        Niceness::from_wire(value.into()).unwrap()
    }

    fn reads(outgoing: &mut Outgoing) -> Vec<Read> {
        std::iter::from_fn(|| outgoing.next_read()).collect()
    }

    #[test]
    fn the_most_urgent_is_read_first_and_equals_in_the_order_asked() {
        let mut outgoing = Outgoing::default();
        for (id, value) in [(1, 50), (2, 10), (3, 50), (4, 30), (5, 10)] {
            outgoing.want(hash(id), nice(value), 100, 0);
        }
        let order: Vec<_> = reads(&mut outgoing).iter().map(|read| read.hash).collect();
        assert_eq!(order, [2, 5, 4, 1, 3].map(hash));
    }

    #[test]
    fn a_packet_is_read_in_order_and_never_far_ahead() {
        let mut outgoing = Outgoing::default();
        outgoing.want(hash(1), nice(1), 100 * READ as u64, 7);
        let reads = reads(&mut outgoing);
        assert_eq!(reads.len(), READ_AHEAD / READ);
        for (index, read) in reads.iter().enumerate() {
            assert_eq!((read.offset, read.len), ((7 + index * READ) as u64, READ));
        }
    }

    #[test]
    fn a_thousandfold_wish_is_one() {
        let mut outgoing = Outgoing::default();
        for offset in 0..1000 {
            outgoing.want(hash(1), nice(1), 2000, offset);
            outgoing.want(hash(2), nice(2), 2000, offset);
        }
        assert_eq!(outgoing.wanted.len(), 2);
        let reads = reads(&mut outgoing);
        let read: Vec<_> = reads.iter().map(|read| (read.hash, read.offset, read.len)).collect();
        assert_eq!(read, [(hash(1), 999, 1001), (hash(2), 999, 1001)]);
        outgoing.forget(&hash(1));
        outgoing.forget(&hash(2));
        assert!(outgoing.is_empty() && outgoing.turns.is_empty());
    }

    #[test]
    fn a_second_wish_replaces_the_first() {
        let mut outgoing = Outgoing::default();
        outgoing.want(hash(1), nice(1), 100, 0);
        let first = outgoing.next_read().unwrap();
        outgoing.want(hash(1), nice(1), 100, 40);
        assert_eq!(outgoing.supply(first.ticket, Some(vec![0; 100])), None);
        assert!(!outgoing.is_ready(), "the answer to the old wish is not sent");
        let second = outgoing.next_read().unwrap();
        assert_eq!((second.offset, second.len), (40, 60));
        assert_eq!(outgoing.pieces.len(), 1);
    }

    #[test]
    fn at_the_end_of_the_packet_one_empty_chunk_is_sent() {
        let mut outgoing = Outgoing::default();
        outgoing.want(hash(1), nice(1), 100, 100);
        assert_eq!(outgoing.next_read(), None, "nothing to read");
        let mut out = Vec::new();
        assert_eq!(outgoing.send(&mut out, MAX_CHUNK), Some(hash(1)));
        let file = Message::File(File { hash: hash(1), offset: 100, data: b"" });
        assert_eq!(Message::take(&mut out.as_slice()), Ok(Some(file)));
        assert!(outgoing.is_empty());
    }

    #[test]
    fn what_can_not_be_read_is_dropped_and_the_rest_goes_on() {
        let mut outgoing = Outgoing::default();
        outgoing.want(hash(1), nice(1), 100, 0);
        outgoing.want(hash(2), nice(2), 3, 0);
        let reads = reads(&mut outgoing);
        assert_eq!(outgoing.supply(reads[0].ticket, Some(vec![1; 99])), Some(hash(1)), "short");
        assert_eq!(outgoing.supply(reads[1].ticket, Some(vec![1; 3])), None);
        assert_eq!(outgoing.send(&mut Vec::new(), MAX_CHUNK), Some(hash(2)));
        assert!(outgoing.is_empty());
    }
}
