//! What becomes of the packets that a peer offers. What is here already counts when it was read and
//! hashed, not by its name.

use crate::config::Neighbour;
use crate::log::online::{Answer as Told, Offered, Online};
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

/// Offers that are logged one by one in a session; beyond, their sums have to do.
const MAX_TOLD: u32 = 10_000;
/// A packet whose content is wrong is asked for again so often in a session.
const RETRIES: u32 = 2;

/// What came of a batch.
#[derive(Default)]
pub(in crate::net) struct Answer {
    pub(in crate::net) decisions: Vec<(PacketHash, Decision)>,
    /// Bytes that were dealt with.
    pub(in crate::net) bytes: usize,
    /// Packets that could not be received, for reasons of ours or with wrong content.
    pub(in crate::net) failed: usize,
}

/// What the peer offered in a session.
pub(super) struct Offers {
    station: Arc<Station>,
    neighbour: Neighbour,
    terms: Terms,
    share: Share,
    wanted: HashMap<PacketHash, Wanted>,
    /// Packets that are to be verified in the background.
    to_check: UnboundedSender<PacketHash>,
    /// Packets that are being verified, and those of which that has come out well.
    checks: HashMap<PacketHash, Check>,
    /// Offers that were logged.
    told: u32,
    /// Bytes of all packets that are to be fetched.
    expected: u64,
}

/// A packet that the peer offered and that is not confirmed.
struct Wanted {
    offer: Offer,
    retries: u32,
}

/// Whether a packet was verified in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    UnderWay,
    Good,
}

/// What is to be done about an offer.
enum Fate {
    /// This, at once.
    Told(Told),
    /// It has to be looked at first.
    Unknown,
    /// Nothing can be done. Why was logged.
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
            told: 0,
            expected: 0,
        }
    }

    fn online(&self) -> Online<'_> {
        Online { peer: self.neighbour.peer(), limit: self.terms.limit }
    }

    /// Bytes of all packets that are to be fetched.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// The size of a packet that was offered and is not confirmed.
    pub(super) fn size(&self, hash: &PacketHash) -> Option<u64> {
        self.wanted.get(hash).map(|wanted| wanted.offer.size)
    }

    /// So many bytes came, and take room in the spool themselves.
    pub(super) fn came(&mut self, bytes: u64) {
        self.share.give(bytes);
    }

    /// The packet is here.
    pub(super) fn close(&mut self, hash: &PacketHash) {
        self.wanted.remove(hash);
    }

    /// What is to be done about an offer. What is here has to be verified before it counts.
    fn fate(&self, hash: &PacketHash) -> Fate {
        match self.station.spool.held(&self.neighbour.id, hash) {
            Held::Whole if self.checks.get(hash) == Some(&Check::Good) => Fate::Told(Told::Done),
            Held::Nock if self.terms.nock => Fate::Told(Told::Nock),
            Held::Whole | Held::Nock => Fate::Unknown,
            Held::Tossed => Fate::Told(Told::Seen),
            Held::Seen => match self.station.spool.settle_seen(&self.neighbour.id, hash) {
                Ok(()) => Fate::Told(Told::Seen),
                Err(error) => {
                    self.station.log.error(self.online().checking(*hash, 0), &error);
                    Fate::Failed
                }
            },
            Held::Part(have) => Fate::Told(Told::Wanted(have)),
            Held::Nothing => Fate::Told(Told::Wanted(0)),
        }
    }

    pub(super) fn on_offered(&mut self, offer: Offer, answer: &mut Answer) {
        let hash = offer.hash;
        self.wanted.insert(hash, Wanted { offer, retries: 0 });
        match self.fate(&hash) {
            Fate::Told(told) => self.settle(&offer, told, answer),
            Fate::Unknown => {
                if self.station.spool.held(&self.neighbour.id, &hash) == Held::Nock {
                    self.tell(&offer, Told::Nock);
                }
                self.check(hash);
            }
            Fate::Failed => self.give_up(hash, answer),
        }
    }

    /// Has a packet verified, unless that is under way.
    pub(super) fn check(&mut self, hash: PacketHash) {
        if self.checks.insert(hash, Check::UnderWay) != Some(Check::UnderWay) {
            // The other end lives as long as this one.
            self.to_check.send(hash).ok();
        }
    }

    /// What earlier sessions left unverified is verified, whether it is offered again or not.
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

    pub(super) fn on_judged(&mut self, hash: PacketHash, verdict: Verdict, answer: &mut Answer) {
        match verdict {
            Verdict::Good => self.checks.insert(hash, Check::Good),
            Verdict::Missing | Verdict::Failed => self.checks.remove(&hash),
        };
        let Some(offer) = self.wanted.get(&hash).map(|wanted| wanted.offer) else {
            answer.failed += usize::from(verdict != Verdict::Good);
            return;
        };
        match verdict {
            Verdict::Good => self.settle(&offer, Told::Done, answer),
            Verdict::Failed => self.give_up(hash, answer),
            Verdict::Missing if self.may_try_again(&hash) => {
                let told = self.without(&hash);
                self.settle(&offer, told, answer);
            }
            Verdict::Missing => self.give_up(hash, answer),
        }
    }

    /// What is to be done about a packet of which there is no good copy: what there is of a bad one
    /// stays until the good one takes its place.
    fn without(&self, hash: &PacketHash) -> Told {
        let spool = &self.station.spool;
        match spool.held(&self.neighbour.id, hash) {
            Held::Seen | Held::Tossed => Told::Seen,
            _ => Told::Wanted(spool.part_size(&self.neighbour.id, hash)),
        }
    }

    /// Room for a packet that is to be fetched, which is spoken for then.
    fn with_room(&mut self, offer: &Offer, told: Told) -> Told {
        let Told::Wanted(have) = told else { return told };
        // Longer than the packet: not its beginning. Overwritten from the start.
        let have = if have <= offer.size { have } else { 0 };
        let free = self.station.spool.free_space().unwrap_or(0);
        if self.share.take(offer.size - have, free) { Told::Wanted(have) } else { Told::NoSpace }
    }

    /// Decides about an offer, and says so.
    fn settle(&mut self, offer: &Offer, told: Told, answer: &mut Answer) {
        let told = self.with_room(offer, told);
        self.tell(offer, told);
        let decision = match told {
            Told::Wanted(offset) => {
                self.expected += offer.size - offset;
                Decision::Fetch { offset }
            }
            Told::Done | Told::Seen => {
                self.wanted.remove(&offer.hash);
                Decision::Have
            }
            Told::Nock => Decision::Skip,
            Told::NoSpace => {
                answer.failed += 1;
                self.station.metrics.fault(Fault::Packet);
                Decision::Skip
            }
        };
        answer.decisions.push((offer.hash, decision));
    }

    /// Who only looks takes names for what they say.
    pub(super) fn on_listed(&mut self, offer: &Offer) {
        let told = match self.station.spool.held(&self.neighbour.id, &offer.hash) {
            Held::Whole => Told::Done,
            Held::Seen | Held::Tossed => Told::Seen,
            Held::Nock => Told::Nock,
            Held::Part(have) => Told::Wanted(have),
            Held::Nothing => Told::Wanted(0),
        };
        let told = self.with_room(offer, told);
        if let Told::Wanted(have) = told {
            self.share.give(offer.size - have);
        }
        self.tell(offer, told);
    }

    fn tell(&mut self, offer: &Offer, told: Told) {
        self.told = self.told.saturating_add(1);
        if self.told > MAX_TOLD {
            return;
        }
        let offered = Offered { pkt: offer.hash, size: offer.size, nice: offer.nice };
        self.station.log.info(self.online().info(&offered, told));
    }

    /// Whether a packet whose content was wrong is to be asked for once more.
    pub(super) fn may_try_again(&mut self, hash: &PacketHash) -> bool {
        let Some(wanted) = self.wanted.get_mut(hash) else { return false };
        wanted.retries += 1;
        wanted.retries <= RETRIES
    }

    pub(super) fn give_up(&mut self, hash: PacketHash, answer: &mut Answer) {
        self.station.metrics.fault(Fault::Packet);
        answer.failed += 1;
        answer.decisions.push((hash, Decision::Skip));
    }
}
