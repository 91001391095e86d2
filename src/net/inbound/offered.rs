//! Decides about the packets that a peer offers. A packet in the spool counts as received only
//! after it was read and hashed; its name alone is not enough.

use crate::config::Neighbour;
use crate::log::online::{OfferState, Offered, Online};
use crate::net::checker::Verdict;
use crate::net::metrics::Fault;
use crate::net::space::Share;
use crate::net::station::Station;
use crate::net::terms::Terms;
use crate::spool::Held;
use packmule_protocol::id::PacketHash;
use packmule_protocol::sync::{Decision, Offer};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// Limit for offers that are logged one by one per session; after that, only totals are logged.
const MAX_LOGGED: u32 = 10_000;
/// How many times a damaged packet is requested again per session.
const RETRIES: u32 = 2;

/// The results of a batch of tasks.
#[derive(Default)]
pub(in crate::net) struct Results {
    pub(in crate::net) decisions: Vec<(PacketHash, Decision)>,
    /// Number of processed bytes.
    pub(in crate::net) bytes: usize,
    /// Number of packets that could not be received: this side failed, or the content was wrong.
    pub(in crate::net) failed: usize,
}

/// The offers of the peer in a session.
pub(super) struct Offers {
    station: Arc<Station>,
    neighbour: Neighbour,
    terms: Terms,
    share: Share,
    wanted: HashMap<PacketHash, Wanted>,
    /// Sends packets to the background verification.
    to_check: UnboundedSender<PacketHash>,
    /// Packets that are being verified or were verified successfully.
    checks: HashMap<PacketHash, Verification>,
    /// Number of offers that were logged.
    logged: u32,
    /// Total size of the packets to receive.
    expected: u64,
}

/// A packet that the peer offered and that is not confirmed.
struct Wanted {
    offer: Offer,
    retries: u32,
}

/// The state of a packet's verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verification {
    UnderWay,
    Good,
}

/// The decision about an offer.
enum Fate {
    /// This, immediately.
    Known(OfferState),
    /// The packet has to be verified first.
    Unknown,
    /// None because of an error, which is in the log.
    Failed,
}

impl Offers {
    pub(super) fn new(
        station: &Arc<Station>,
        neighbour: &Neighbour,
        terms: &Terms,
        to_check: UnboundedSender<PacketHash>,
    ) -> Self {
        Self {
            station: Arc::clone(station),
            neighbour: neighbour.clone(),
            terms: terms.clone(),
            share: station.promised.share(),
            wanted: HashMap::new(),
            to_check,
            checks: HashMap::new(),
            logged: 0,
            expected: 0,
        }
    }

    fn online(&self) -> Online<'_> {
        Online { peer: self.neighbour.peer(), limit: self.terms.limit }
    }

    /// Total size of the packets to receive.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// The size of a packet that was offered and is not confirmed.
    pub(super) fn size(&self, hash: &PacketHash) -> Option<u64> {
        self.wanted.get(hash).map(|wanted| wanted.offer.size)
    }

    /// Notes received bytes, which occupy space in the spool now and need no reservation.
    pub(super) fn came(&mut self, bytes: u64) {
        self.share.give(bytes);
    }

    /// Notes that the packet has arrived.
    pub(super) fn close(&mut self, hash: &PacketHash) {
        self.wanted.remove(hash);
    }

    /// The decision about an offer. A packet in the spool is verified before it counts.
    fn fate(&self, hash: &PacketHash) -> Fate {
        match self.station.spool.held(&self.neighbour.id, hash) {
            Held::Whole if self.checks.get(hash) == Some(&Verification::Good) => {
                Fate::Known(OfferState::Done)
            }
            Held::Nock if self.terms.nock => Fate::Known(OfferState::Nock),
            Held::Whole | Held::Nock => Fate::Unknown,
            Held::Tossed => Fate::Known(OfferState::Seen),
            Held::Seen => match self.station.spool.settle_seen(&self.neighbour.id, hash) {
                Ok(()) => Fate::Known(OfferState::Seen),
                Err(error) => {
                    self.station.log.error(self.online().checking(*hash, 0), &error);
                    Fate::Failed
                }
            },
            Held::Part(_) | Held::Nothing if self.is_done(hash) => Fate::Known(OfferState::Seen),
            Held::Part(have) => Fate::Known(OfferState::Wanted(have)),
            Held::Nothing => Fate::Known(OfferState::Wanted(0)),
        }
    }

    /// Whether the packet's effect is durable, as the ledger says. If that can not be found out, the
    /// packet is fetched, and the toss says why.
    fn is_done(&self, hash: &PacketHash) -> bool {
        let (ledger, now) = (&self.station.ledger, jiff::Timestamp::now().as_second());
        ledger.exists() && ledger.journal(&self.neighbour.id).recognise(hash, now).unwrap_or(false)
    }

    pub(super) fn on_offered(&mut self, offer: Offer, results: &mut Results) {
        let hash = offer.hash;
        self.wanted.insert(hash, Wanted { offer, retries: 0 });
        match self.fate(&hash) {
            Fate::Known(state) => self.settle(&offer, state, results),
            Fate::Unknown => {
                if self.station.spool.held(&self.neighbour.id, &hash) == Held::Nock {
                    self.log(&offer, OfferState::Nock);
                }
                self.check(hash);
            }
            Fate::Failed => self.give_up(hash, results),
        }
    }

    /// Starts the verification of a packet, unless it is running.
    pub(super) fn check(&mut self, hash: PacketHash) {
        if self.checks.insert(hash, Verification::UnderWay) != Some(Verification::UnderWay) {
            // Cannot fail: the receiver exists as long as this session.
            self.to_check.send(hash).ok();
        }
    }

    /// Starts the verification of packets from earlier sessions, whether they are offered or not.
    pub(super) fn on_begin(&mut self) {
        if self.terms.nock || !self.terms.flow.receives() {
            return;
        }
        let nocks = self.station.spool.nocks(&self.neighbour.id).unwrap_or_default();
        let limit = self.terms.limit;
        for nock in nocks.jobs.iter().filter(|nock| nock.nice() <= limit) {
            self.check(nock.hash);
        }
    }

    pub(super) fn on_judged(&mut self, hash: PacketHash, verdict: Verdict, results: &mut Results) {
        match verdict {
            Verdict::Good => self.checks.insert(hash, Verification::Good),
            Verdict::Missing | Verdict::Failed => self.checks.remove(&hash),
        };
        let Some(offer) = self.wanted.get(&hash).map(|wanted| wanted.offer) else {
            results.failed += usize::from(verdict != Verdict::Good);
            return;
        };
        match verdict {
            Verdict::Good => self.settle(&offer, OfferState::Done, results),
            Verdict::Failed => self.give_up(hash, results),
            Verdict::Missing if self.may_try_again(&hash) => {
                let state = self.without(&hash);
                self.settle(&offer, state, results);
            }
            Verdict::Missing => self.give_up(hash, results),
        }
    }

    /// The decision about a packet of which there is no good copy. A damaged copy stays until a
    /// good one replaces it.
    fn without(&self, hash: &PacketHash) -> OfferState {
        let spool = &self.station.spool;
        match spool.held(&self.neighbour.id, hash) {
            Held::Seen | Held::Tossed => OfferState::Seen,
            _ => OfferState::Wanted(spool.part_size(&self.neighbour.id, hash)),
        }
    }

    /// Reserves space for a packet that is to be received.
    fn with_room(&mut self, offer: &Offer, state: OfferState) -> OfferState {
        let OfferState::Wanted(have) = state else { return state };
        // A part that is longer than the packet is not its beginning; overwrite it from the start.
        let have = if have <= offer.size { have } else { 0 };
        let free = self.station.spool.free_space().unwrap_or(0);
        if self.share.take(offer.size - have, free) {
            OfferState::Wanted(have)
        } else {
            OfferState::NoSpace
        }
    }

    /// Decides about an offer and logs the decision.
    fn settle(&mut self, offer: &Offer, state: OfferState, results: &mut Results) {
        let state = self.with_room(offer, state);
        self.log(offer, state);
        let decision = match state {
            OfferState::Wanted(offset) => {
                self.expected += offer.size - offset;
                Decision::Fetch { offset }
            }
            OfferState::Done | OfferState::Seen => {
                self.wanted.remove(&offer.hash);
                Decision::Have
            }
            OfferState::Nock => Decision::Skip,
            OfferState::NoSpace => {
                results.failed += 1;
                self.station.metrics.fault(Fault::Packet);
                Decision::Skip
            }
        };
        results.decisions.push((offer.hash, decision));
    }

    /// When only listing, the name of a packet in the spool is enough.
    pub(super) fn on_listed(&mut self, offer: &Offer) {
        let state = match self.station.spool.held(&self.neighbour.id, &offer.hash) {
            Held::Whole => OfferState::Done,
            Held::Seen | Held::Tossed => OfferState::Seen,
            Held::Nock => OfferState::Nock,
            Held::Part(have) => OfferState::Wanted(have),
            Held::Nothing => OfferState::Wanted(0),
        };
        let state = self.with_room(offer, state);
        if let OfferState::Wanted(have) = state {
            self.share.give(offer.size - have);
        }
        self.log(offer, state);
    }

    fn log(&mut self, offer: &Offer, state: OfferState) {
        self.logged = self.logged.saturating_add(1);
        if self.logged > MAX_LOGGED {
            return;
        }
        let offered = Offered { pkt: offer.hash, size: offer.size, nice: offer.nice };
        self.station.log.info(self.online().info(&offered, state));
    }

    /// True if a damaged packet may be requested again.
    pub(super) fn may_try_again(&mut self, hash: &PacketHash) -> bool {
        let Some(wanted) = self.wanted.get_mut(hash) else { return false };
        wanted.retries += 1;
        wanted.retries <= RETRIES
    }

    pub(super) fn give_up(&mut self, hash: PacketHash, results: &mut Results) {
        self.station.metrics.fault(Fault::Packet);
        results.failed += 1;
        results.decisions.push((hash, Decision::Skip));
    }
}
