//! The packets that the peer announced: which of them were requested, and the state of each.
//!
//! ```text
//! INFO ─► Offered ─fetch─► Waiting ─FREQ─► Asked ─last byte─► Stored ─confirm─► (DONE, forgotten)
//!            │                ▲                                  │
//!            ├─have─► (DONE)  └─────────────again────────────────┤
//!            └─skip─► Dropped ◄──────────abandon─────────────────┘ (from any state)
//! ```

use super::event::{Oddity, PeerError};
use super::message::{FREQ_LEN, Freq, Info, Message};
use super::offers::{Offer, Total};
use crate::id::PacketHash;
use crate::niceness::Niceness;
use std::collections::{BTreeMap, HashMap};

/// Limit for the number of the peer's packets in one session. Further ones have to wait for another
/// session.
const MAX_KNOWN: usize = 1 << 17;
/// Limit for the number of incomplete requests. Requesting a few at a time, most urgent first,
/// helps against peers that do not serve in the order of niceness.
const MAX_ASKED: usize = 1024;
/// Size of the smallest encrypted packet.
const MIN_SIZE: u64 = 480;
/// Size of the largest packet.
const MAX_SIZE: u64 = 1 << 62;

/// What to do with a FILE.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Store the bytes; `last` if they complete the packet.
    Store { last: bool },
    /// Ignore the bytes, which are not wanted or no longer wanted.
    Ignore,
    /// Report a packet that was never announced, which no honest peer sends.
    Odd(Oddity),
}

/// The peer's packets.
#[derive(Debug, Default)]
pub(super) struct Downloads {
    known: HashMap<PacketHash, Download>,
    waiting: BTreeMap<(Niceness, u64), PacketHash>,
    sequence: u64,
    asked: usize,
    /// Number of offers without a decision and of complete packets without a verification.
    owed: usize,
    announced: Total,
    /// The total of wanted packets that could not be accepted.
    refused: Total,
    probe: Option<Probe>,
}

/// A packet whose end was requested to find out whether its sender is alive.
#[derive(Debug)]
struct Probe {
    hash: PacketHash,
    size: u64,
    asked: bool,
    answered: bool,
}

impl Probe {
    fn is_answered_by(&self, hash: &PacketHash, offset: u64, len: usize) -> bool {
        self.hash == *hash && self.size == offset && len == 0
    }
}

#[derive(Debug)]
struct Download {
    nice: Niceness,
    size: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offered,
    Waiting {
        offset: u64,
        sequence: u64,
    },
    /// Invariant: `next <= size`, and every byte below `next` was emitted for storing.
    Asked {
        next: u64,
    },
    Stored,
    Dropped,
}

impl Downloads {
    /// Handles an announcement. Returns the offer that needs a decision.
    pub(super) fn announce(&mut self, info: &Info) -> Result<Offer, Oddity> {
        let nice = possible(info).ok_or(Oddity::Offer)?;
        if self.known.contains_key(&info.hash) {
            return Err(Oddity::Repeated);
        }
        if self.known.len() >= MAX_KNOWN {
            return Err(Oddity::TooMany);
        }
        self.announced.add(info.size);
        let download = Download { nice, size: info.size, state: State::Offered };
        self.known.insert(info.hash, download);
        self.owed += 1;
        Ok(Offer { hash: info.hash, nice, size: info.size })
    }

    /// Counts a wanted packet that could not be accepted.
    pub(super) fn refuse(&mut self, size: u64) {
        self.refused.add(size);
    }

    /// Requests the end of a packet that is not announced yet. Returns false if no packet can have
    /// its size and niceness.
    pub(super) fn probe(&mut self, info: &Info) -> bool {
        if possible(info).is_none() {
            return false;
        }
        self.probe =
            Some(Probe { hash: info.hash, size: info.size, asked: false, answered: false });
        true
    }

    /// True if this side verifies packets and sends nothing meanwhile. While bytes are under way,
    /// neither side assumes that the other is gone.
    pub(super) fn may_nudge(&self) -> bool {
        self.owed > 0 && self.asked == 0
    }

    /// Requests the end of a packet whose bytes are being verified, if there is one, because its
    /// sender would take silence for the end of the session.
    pub(super) fn nudge(&mut self, out: &mut Vec<u8>) -> bool {
        let waits = |download: &Download| matches!(download.state, State::Offered | State::Stored);
        let Some((hash, download)) = self.known.iter().find(|(_, it)| waits(it)) else {
            return false;
        };
        let probe = Probe { hash: *hash, size: download.size, asked: true, answered: false };
        Message::Freq(Freq { hash: probe.hash, offset: probe.size }).encode(out);
        self.probe = Some(probe);
        true
    }

    /// The total of announced packets that are not complete.
    pub(super) fn announced(&self) -> Total {
        self.announced
    }

    /// Requests the packet from `offset` on, when its turn comes.
    pub(super) fn fetch(&mut self, hash: &PacketHash, offset: u64) {
        let sequence = self.sequence;
        let Some(size) = self.known.get(hash).map(|download| download.size) else { return };
        // A request beyond the end could make a peer answer for ever.
        let offset = if offset > size { 0 } else { offset };
        self.sequence += 1;
        if let Some(nice) = self.set(hash, State::Waiting { offset, sequence }) {
            self.waiting.insert((nice, sequence), *hash);
        }
    }

    /// Confirms the packet, which is safely stored.
    pub(super) fn confirm(&mut self, hash: &PacketHash) {
        self.set(hash, State::Dropped);
        if let Some(download) = self.known.remove(hash) {
            self.announced.remove(download.size);
        }
    }

    /// Skips the packet, which is not wanted.
    pub(super) fn skip(&mut self, hash: &PacketHash) {
        self.set(hash, State::Dropped);
    }

    /// What to do with bytes at `offset`.
    pub(super) fn file(
        &mut self,
        hash: &PacketHash,
        offset: u64,
        len: usize,
    ) -> Result<Chunk, PeerError> {
        // A packet that was requested twice may arrive twice, even after it is complete.
        let proof = match &mut self.probe {
            Some(probe) if probe.is_answered_by(hash, offset, len) => {
                probe.answered = true;
                true
            }
            _ => false,
        };
        let Some(download) = self.known.get_mut(hash) else {
            return Ok(if proof { Chunk::Ignore } else { Chunk::Odd(Oddity::UnknownFile) });
        };
        let State::Asked { next } = &mut download.state else { return Ok(Chunk::Ignore) };
        if offset != *next {
            if proof {
                return Ok(Chunk::Ignore);
            }
            return Err(PeerError::Offset { hash: *hash, want: *next, got: offset });
        }
        let end = next.checked_add(len as u64).filter(|end| *end <= download.size);
        *next = end.ok_or(PeerError::TooLong { hash: *hash, size: download.size })?;
        let last = *next == download.size;
        if last {
            self.set(hash, State::Stored);
        } else if len == 0 {
            return Ok(Chunk::Ignore);
        }
        Ok(Chunk::Store { last })
    }

    /// Appends requests to `out`, as many as fit into `room` bytes.
    ///
    /// A probed packet is requested only after the probe was answered. The reference can lose the
    /// second of two requests for one packet in quick succession, and then never sends the packet.
    /// Without `patient`, it waits only while other packets arrive, since the answer may be queued
    /// behind them.
    pub(super) fn ask(&mut self, out: &mut Vec<u8>, room: usize, patient: bool) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| !probe.asked && room >= FREQ_LEN) {
            probe.asked = true;
            Message::Freq(Freq { hash: probe.hash, offset: probe.size }).encode(out);
            return;
        }
        for _ in 0..room / FREQ_LEN {
            if self.asked >= MAX_ASKED {
                return;
            }
            let may_go = |hash: &&PacketHash| !(patient || self.asked > 0) || !self.is_probed(hash);
            let Some(&hash) = self.waiting.values().find(may_go) else { return };
            let State::Waiting { offset, .. } = self.known[&hash].state else { return };
            self.set(&hash, State::Asked { next: offset });
            Message::Freq(Freq { hash, offset }).encode(out);
        }
    }

    /// True if the end of this packet was requested and the peer is about to send it. The reference
    /// hangs up if it does not find the packet then.
    pub(super) fn is_probed(&self, hash: &PacketHash) -> bool {
        self.probe.as_ref().is_some_and(|it| it.hash == *hash && it.asked && !it.answered)
    }

    /// True if a packet cannot be requested before a probe is answered, and no bytes are under way.
    pub(super) fn is_held(&self) -> bool {
        let waits =
            |hash| matches!(self.known.get(hash).map(|it| it.state), Some(State::Waiting { .. }));
        let mut probed = self.probe.iter().map(|probe| &probe.hash);
        self.asked == 0 && probed.any(|hash| self.is_probed(hash) && waits(hash))
    }

    /// True if this side owes a decision about a packet.
    pub(super) fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// The total of wanted packets that are not complete or could not be accepted.
    pub(super) fn unfinished(&self) -> Total {
        let mut total = self.refused;
        for download in self.known.values() {
            if download.state != State::Dropped {
                total.add(download.size);
            }
        }
        total
    }

    /// Moves a packet to another state and updates the counters.
    fn set(&mut self, hash: &PacketHash, state: State) -> Option<Niceness> {
        let download = self.known.get_mut(hash)?;
        match std::mem::replace(&mut download.state, state) {
            State::Offered | State::Stored => self.owed -= 1,
            State::Asked { .. } => self.asked -= 1,
            State::Dropped => {}
            State::Waiting { sequence, .. } => {
                self.waiting.remove(&(download.nice, sequence));
            }
        }
        match state {
            State::Offered | State::Stored => self.owed += 1,
            State::Asked { .. } => self.asked += 1,
            State::Dropped | State::Waiting { .. } => {}
        }
        Some(download.nice)
    }
}

/// The niceness of an announced packet; `None` if no packet can have its size and niceness.
fn possible(info: &Info) -> Option<Niceness> {
    Niceness::from_wire(info.nice.into()).filter(|_| (MIN_SIZE..=MAX_SIZE).contains(&info.size))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: PacketHash = PacketHash([7; 32]);

    fn info(nice: u8, size: u64) -> Info {
        Info { nice, size, hash: HASH }
    }

    fn asked(size: u64, offset: u64) -> Downloads {
        let mut downloads = Downloads::default();
        downloads.announce(&info(1, size)).unwrap();
        downloads.fetch(&HASH, offset);
        downloads.ask(&mut Vec::new(), FREQ_LEN, false);
        downloads
    }

    #[test]
    fn impossible_offers_are_not_taken() {
        let mut downloads = Downloads::default();
        for (nice, size) in [(0, 1000), (1, 0), (1, 479), (1, 1 << 63), (1, u64::MAX)] {
            assert_eq!(downloads.announce(&info(nice, size)), Err(Oddity::Offer), "{nice} {size}");
        }
        assert!(downloads.announce(&info(1, 480)).is_ok());
        assert_eq!(downloads.announce(&info(1, 480)), Err(Oddity::Repeated));
    }

    #[test]
    fn only_the_next_bytes_are_stored() {
        let mut downloads = asked(1000, 100);
        assert_eq!(downloads.file(&HASH, 100, 400), Ok(Chunk::Store { last: false }));
        for offset in [0, 100, 499, 501, u64::MAX] {
            let error = PeerError::Offset { hash: HASH, want: 500, got: offset };
            assert_eq!(downloads.file(&HASH, offset, 1), Err(error));
        }
        assert_eq!(
            downloads.file(&HASH, 500, 501),
            Err(PeerError::TooLong { hash: HASH, size: 1000 })
        );
        assert_eq!(downloads.file(&HASH, 500, 0), Ok(Chunk::Ignore), "empty, and not the end");
        assert_eq!(downloads.file(&HASH, 500, 500), Ok(Chunk::Store { last: true }));
        assert_eq!(downloads.file(&HASH, 1000, 1), Ok(Chunk::Ignore), "complete");
    }

    #[test]
    fn a_complete_part_is_completed_by_an_empty_file() {
        let mut downloads = asked(1000, 1000);
        assert_eq!(downloads.file(&HASH, 1000, 0), Ok(Chunk::Store { last: true }));
    }

    #[test]
    fn a_part_that_is_too_long_is_asked_for_from_the_start() {
        let mut downloads = asked(1000, 1001);
        assert_eq!(downloads.file(&HASH, 0, 1), Ok(Chunk::Store { last: false }));
    }

    #[test]
    fn what_was_not_asked_for_is_not_stored() {
        let mut downloads = Downloads::default();
        assert_eq!(downloads.file(&HASH, 0, 1), Ok(Chunk::Odd(Oddity::UnknownFile)));
        downloads.announce(&info(1, 1000)).unwrap();
        assert_eq!(downloads.file(&HASH, 0, 1), Ok(Chunk::Ignore));
    }

    #[test]
    fn requests_are_limited_and_the_most_urgent_go_first() {
        let mut downloads = Downloads::default();
        for id in 0..2000u16 {
            let mut hash = [0; 32];
            hash[..2].copy_from_slice(&id.to_be_bytes());
            let nice = if id == 1999 { 1 } else { 200 };
            downloads.announce(&Info { nice, size: 1000, hash: PacketHash(hash) }).unwrap();
            downloads.fetch(&PacketHash(hash), 0);
        }
        let mut out = Vec::new();
        downloads.ask(&mut out, usize::MAX, false);
        assert_eq!(out.len(), MAX_ASKED * FREQ_LEN);
        assert_eq!(out[4..6], 1999u16.to_be_bytes());
        assert_eq!(downloads.asked, MAX_ASKED);
        assert_eq!(downloads.unfinished().packets, 2000);
    }
}
