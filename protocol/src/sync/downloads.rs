//! The packets the peer announced: which we asked for, and how far each has come.
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

/// Packets of the peer that are kept in mind. What it announces beyond is left for another
/// session.
const MAX_KNOWN: usize = 1 << 17;
/// Packets asked for and not complete. Asking for a few at a time, most urgent first, makes up for
/// peers that do not serve in the order of niceness.
const MAX_ASKED: usize = 1024;
/// No encrypted packet is smaller.
const MIN_SIZE: u64 = 480;
/// No packet is larger.
const MAX_SIZE: u64 = 1 << 62;

/// What to do with a FILE.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Store the bytes; `last` when the packet is complete with them.
    Store { last: bool },
    /// We do not want these (any more).
    Ignore,
    /// Never announced: not a thing an honest peer does.
    Odd(Oddity),
}

/// The peer's packets.
#[derive(Debug, Default)]
pub(super) struct Downloads {
    known: HashMap<PacketHash, Download>,
    waiting: BTreeMap<(Niceness, u64), PacketHash>,
    sequence: u64,
    asked: usize,
    /// Offers that nobody decided about, and packets whose last byte is not yet judged.
    owed: usize,
    announced: Total,
    /// Wanted packets whose offers could not be taken.
    refused: Total,
    probe: Option<Probe>,
}

/// A packet whose end was asked for, to see whether its sender is there.
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
    /// Invariant: `next <= size`, and every byte below it was handed out for storing.
    Asked {
        next: u64,
    },
    Stored,
    Dropped,
}

impl Downloads {
    /// Takes an announcement; the offer that is to be decided about.
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

    /// A wanted packet's offer could not be taken.
    pub(super) fn refuse(&mut self, size: u64) {
        self.refused.add(size);
    }

    /// Asks for the end of a packet that is not announced yet; whether it can be a packet.
    pub(super) fn probe(&mut self, info: &Info) -> bool {
        if possible(info).is_none() {
            return false;
        }
        self.probe =
            Some(Probe { hash: info.hash, size: info.size, asked: false, answered: false });
        true
    }

    /// Whether we work on packets and the peer hears nothing of us. Where bytes are under way nobody
    /// thinks that the other is gone.
    pub(super) fn may_nudge(&self) -> bool {
        self.owed > 0 && self.asked == 0
    }

    /// Asks for the end of a packet whose bytes are being verified, if there is one: its sender
    /// would take our silence for the end of the session.
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

    /// All that was announced and is not complete.
    pub(super) fn announced(&self) -> Total {
        self.announced
    }

    /// Asks for the packet, from `offset` on, when its turn comes.
    pub(super) fn fetch(&mut self, hash: &PacketHash, offset: u64) {
        let sequence = self.sequence;
        let Some(size) = self.known.get(hash).map(|download| download.size) else { return };
        // A peer that is asked for what it can not have may answer for ever.
        let offset = if offset > size { 0 } else { offset };
        self.sequence += 1;
        if let Some(nice) = self.set(hash, State::Waiting { offset, sequence }) {
            self.waiting.insert((nice, sequence), *hash);
        }
    }

    /// The packet is safe with us.
    pub(super) fn confirm(&mut self, hash: &PacketHash) {
        self.set(hash, State::Dropped);
        if let Some(download) = self.known.remove(hash) {
            self.announced.remove(download.size);
        }
    }

    /// The packet is not wanted, and that is no failure.
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
        // Asked for twice, the answer may come twice, also after the packet is complete.
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

    /// Appends as many requests as `room` bytes hold.
    ///
    /// A probed packet is asked for after the probe's answer: the reference can lose the second of
    /// two requests for one packet that come close together, and then never sends it. Without
    /// `patient` the packet waits only while others arrive: the answer may be behind them.
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

    /// Whether the end of this packet was asked for and the peer is about to send it. The reference
    /// hangs up when it finds the packet gone by then.
    pub(super) fn is_probed(&self, hash: &PacketHash) -> bool {
        self.probe.as_ref().is_some_and(|it| it.hash == *hash && it.asked && !it.answered)
    }

    /// Whether a packet can not be asked for before a probe is answered, and no bytes are under way.
    pub(super) fn is_held(&self) -> bool {
        let waits =
            |hash| matches!(self.known.get(hash).map(|it| it.state), Some(State::Waiting { .. }));
        let mut probed = self.probe.iter().map(|probe| &probe.hash);
        self.asked == 0 && probed.any(|hash| self.is_probed(hash) && waits(hash))
    }

    /// Whether somebody on our side has yet to say what becomes of a packet.
    pub(super) fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// Packets we want and do not have, and offers that could not be taken.
    pub(super) fn unfinished(&self) -> Total {
        let mut total = self.refused;
        for download in self.known.values() {
            if download.state != State::Dropped {
                total.add(download.size);
            }
        }
        total
    }

    /// Moves a packet to another state, and the counters with it.
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

/// The niceness of a packet that is announced so; `None` if no packet can be.
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
