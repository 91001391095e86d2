//! Sessions between two nodes, over streams in memory and with a made-up clock.

mod calls;
mod hostile;
mod simulation;

use super::*;
use crate::id::PacketHash;
use crate::keys::NoisePrivate;
use crate::niceness::Niceness;
use crate::seed::Seed;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Constant, so that every run is the same.
pub(super) fn seed() -> Seed {
    Seed::from_bytes([0x33; 32])
}

/// A spool in memory.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    pub(super) tx: BTreeMap<PacketHash, (Niceness, Vec<u8>)>,
    pub(super) rx: BTreeMap<PacketHash, Vec<u8>>,
    pub(super) parts: BTreeMap<PacketHash, Vec<u8>>,
    /// How many times each packet became complete.
    pub(super) arrivals: BTreeMap<PacketHash, usize>,
    /// The packets in the order in which they became complete.
    pub(super) order: Vec<PacketHash>,
    pub(super) odd: Vec<Oddity>,
    pub(super) listed: Vec<Offer>,
    /// The requested offsets.
    pub(super) resumed: Vec<u64>,
    /// Packets whose reads fail.
    pub(super) unreadable: Vec<PacketHash>,
    /// Complete packets are verified.
    pub(super) judges: bool,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            tx: BTreeMap::new(),
            rx: BTreeMap::new(),
            parts: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            order: Vec::new(),
            odd: Vec::new(),
            listed: Vec::new(),
            resumed: Vec::new(),
            unreadable: Vec::new(),
            judges: true,
        }
    }
}

pub(super) fn hash_of(bytes: &[u8]) -> PacketHash {
    PacketHash(*blake3::hash(bytes).as_bytes())
}

pub(super) fn nice(value: u8) -> Niceness {
    Niceness::from_wire(value.into()).unwrap()
}

/// Bytes that differ for each seed.
pub(super) fn packet(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&seed.to_be_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

impl Spool {
    pub(super) fn queue(&mut self, value: u8, bytes: Vec<u8>) -> PacketHash {
        let hash = hash_of(&bytes);
        self.tx.insert(hash, (nice(value), bytes));
        hash
    }

    pub(super) fn offers(&self) -> Vec<Offer> {
        self.tx
            .iter()
            .map(|(&hash, (nice, bytes))| Offer { hash, nice: *nice, size: bytes.len() as u64 })
            .collect()
    }

    /// Handles the session's events; returns false if there were none.
    pub(super) fn work(&mut self, session: &mut Session) -> bool {
        let mut worked = false;
        while let Some(event) = session.poll_event() {
            worked = true;
            match event {
                Event::Offered(offer) => {
                    let decision = if self.rx.contains_key(&offer.hash) {
                        Decision::Have
                    } else {
                        let offset = self.parts.get(&offer.hash).map_or(0, Vec::len) as u64;
                        self.resumed.push(offset);
                        Decision::Fetch { offset }
                    };
                    session.decide(&offer.hash, decision);
                }
                Event::Store(store) => self.store(&store, session),
                Event::Read(read) => {
                    let bytes = self.tx.get(&read.hash).and_then(|(_, bytes)| {
                        let start = read.offset as usize;
                        bytes.get(start..start + read.len).map(<[u8]>::to_vec)
                    });
                    let bytes = bytes.filter(|_| !self.unreadable.contains(&read.hash));
                    session.supply(read.ticket, bytes);
                }
                Event::Delivered(hash) => {
                    self.tx.remove(&hash).expect("only what we hold is confirmed");
                }
                Event::Odd(oddity, _) => self.odd.push(oddity),
                Event::Listed(offer) => self.listed.push(offer),
                Event::Announced(_) | Event::Sent(_) => {}
            }
        }
        worked
    }

    fn store(&mut self, store: &Store, session: &mut Session) {
        let part = self.parts.entry(store.hash).or_default();
        if store.offset == 0 {
            part.clear();
        }
        assert_eq!(part.len() as u64, store.offset, "no holes, no overlaps");
        part.extend_from_slice(&store.data);
        if !store.last || !self.judges {
            return;
        }
        let part = self.parts.remove(&store.hash).expect("stored just now");
        if hash_of(&part) == store.hash {
            self.rx.insert(store.hash, part);
            *self.arrivals.entry(store.hash).or_default() += 1;
            self.order.push(store.hash);
            session.decide(&store.hash, Decision::Have);
        } else {
            session.decide(&store.hash, Decision::Fetch { offset: 0 });
        }
    }
}

/// Two nodes and the line between them. Alice calls Bob.
pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) alice: Spool,
    pub(super) bob: Spool,
    pub(super) alices: Session,
    pub(super) bobs: Session,
    pub(super) keys: (NoisePrivate, NoisePrivate),
    pub(super) options: (Options, Options),
    /// The lengths of the frames in each direction.
    pub(super) frames: (Vec<usize>, Vec<usize>),
}

impl Pair {
    pub(super) fn new(alice: Spool, bob: Spool) -> Self {
        Self::with(alice, bob, Options::default(), Options::default())
    }

    pub(super) fn with(alice: Spool, bob: Spool, ours: Options, theirs: Options) -> Self {
        let now = Instant::now();
        let keys = (NoisePrivate::from_bytes([0x11; 32]), NoisePrivate::from_bytes([0x22; 32]));
        let bobs = Session::answer(now, keys.1.clone(), seed(), DEADLINE);
        let alices = Session::call(
            now,
            &keys.0,
            &keys.1.public(),
            seed(),
            DEADLINE,
            ours.clone(),
            alice.offers(),
        );
        let options = (ours, theirs);
        Self { now, alice, bob, alices, bobs, keys, options, frames: Default::default() }
    }

    /// Makes a new call with the same spools.
    pub(super) fn reconnect(&mut self) {
        let (ours, theirs) = self.options.clone();
        let again = Self::with(
            std::mem::take(&mut self.alice),
            std::mem::take(&mut self.bob),
            ours,
            theirs,
        );
        *self = again;
    }

    /// Lets each side send one frame and do its work; returns false if nothing happened.
    pub(super) fn step(&mut self) -> bool {
        let mut busy = self.answer_caller();
        busy |= self.alice.work(&mut self.alices) | self.bob.work(&mut self.bobs);
        let mut out = Vec::new();
        if self.alices.poll_output(self.now, &mut out) {
            self.frames.0.push(out.len());
            self.bobs.handle_input(self.now, &out);
            busy = true;
        }
        out.clear();
        if self.bobs.poll_output(self.now, &mut out) {
            self.frames.1.push(out.len());
            self.alices.handle_input(self.now, &out);
            busy = true;
        }
        busy
    }

    fn answer_caller(&mut self) -> bool {
        let Some(key) = self.bobs.caller() else { return false };
        assert_eq!(key, self.keys.0.public());
        self.bobs.accept(self.now, self.options.1.clone(), self.bob.offers());
        true
    }

    /// Steps until nothing happens without the clock advancing.
    pub(super) fn settle(&mut self) {
        while self.step() {}
    }

    /// Advances the clock to the next deadline; returns false if both sessions have ended.
    pub(super) fn tick(&mut self) -> bool {
        let next =
            [self.alices.poll_timeout(), self.bobs.poll_timeout()].into_iter().flatten().min();
        let Some(next) = next else { return false };
        self.now = self.now.max(next);
        self.alices.handle_timeout(self.now);
        self.bobs.handle_timeout(self.now);
        self.alices.closed().is_none() && self.bobs.closed().is_none()
    }

    /// Runs until one session ends.
    pub(super) fn run(&mut self) {
        self.settle();
        while self.tick() {
            self.settle();
        }
    }
}
