//! The receiving side of a session, on disk: what becomes of offers, bytes into `.part` files,
//! complete packets to their names.

mod offered;

use super::autotoss::Arrivals;
use super::checker::Verdict;
use super::metrics::Fault;
use super::space::Share;
use super::station::Station;
use super::terms::Terms;
use super::worker::Work;
use crate::blocks::Hasher;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::log::online::{Online, Received, Step};
use crate::progress::{Meter, Work as Progressing};
use crate::spool::{CommitError, Part, Whole};
use packmule_protocol::id::PacketHash;
use packmule_protocol::sync::{Decision, Oddity, Offer, Store, Total};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::UnboundedSender;

/// Files of half-received packets that are open at a time. Honest peers send one after the other.
const MAX_OPEN: usize = 16;
/// Packets that become durable together at most; each holds its file open until then.
const MAX_WHOLE: usize = 32;
/// A packet whose content is wrong is asked for again so often in a session.
const RETRIES: u32 = 2;

/// Work of the receiving side.
pub(super) enum Job {
    /// Have verified what earlier sessions left unverified.
    Begin,
    /// A packet was looked at in the background.
    Judged(PacketHash, Verdict),
    /// The peer offers a packet: decide.
    Offered(Offer),
    /// The peer offers a packet, and we only look.
    Listed(Offer),
    /// All that the peer offered.
    Announced(Total),
    /// Bytes of a packet.
    Store(Store),
    /// The peer did something strange.
    Odd(Oddity, PacketHash),
}

/// What came of a batch.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) decisions: Vec<(PacketHash, Decision)>,
    /// Bytes that were dealt with.
    pub(super) bytes: usize,
    /// Packets that could not be received, for reasons of ours or with wrong content.
    pub(super) failed: usize,
}

/// The receiving side of a session.
pub(super) struct Inbound {
    station: Arc<Station>,
    neighbour: Neighbour,
    terms: Terms,
    share: Share,
    wanted: HashMap<PacketHash, Wanted>,
    open: Vec<Open>,
    /// Packets that are verified and not yet durable.
    whole: Vec<Whole>,
    /// Packets that are to be verified in the background.
    to_check: UnboundedSender<PacketHash>,
    /// Packets that are being verified, and those of which that has come out well.
    checks: HashMap<PacketHash, Check>,
    arrivals: Arrivals,
    /// Offers that were logged.
    told: u32,
    /// Bytes of all packets that are to be fetched, and of those what came.
    expected: u64,
    received: u64,
    total: Option<Meter>,
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

/// A packet whose bytes come in.
struct Open {
    hash: PacketHash,
    size: u64,
    part: Part,
    /// Of all bytes so far; absent when some were there before this session.
    hasher: Option<Hasher>,
    meter: Meter,
}

impl Inbound {
    pub(super) fn new(
        station: &Arc<Station>,
        neighbour: &Neighbour,
        terms: &Terms,
        to_check: UnboundedSender<PacketHash>,
        arrivals: Arrivals,
    ) -> Self {
        Self {
            station: Arc::clone(station),
            neighbour: neighbour.clone(),
            terms: terms.clone(),
            share: station.promised.share(),
            wanted: HashMap::new(),
            open: Vec::new(),
            whole: Vec::new(),
            to_check,
            checks: HashMap::new(),
            arrivals,
            told: 0,
            expected: 0,
            received: 0,
            total: None,
        }
    }

    fn online(&self) -> Online<'_> {
        Online { peer: self.neighbour.peer(), limit: self.terms.limit }
    }

    /// Shows how far all of it is, anew when there is more to fetch than before.
    fn show_total(&mut self) {
        self.total = None;
        if self.expected > 0 {
            let (name, all) = (&self.neighbour.name, Some(self.expected));
            let meter = self.station.progress.start(Progressing::Rx, name, all);
            meter.add(self.received);
            self.total = Some(meter);
        }
    }

    fn on_store(&mut self, store: &Store, answer: &mut Answer) {
        answer.bytes += store.data.len();
        self.share.give(store.data.len() as u64);
        self.received += store.data.len() as u64;
        if let Some(meter) = &self.total {
            meter.add(store.data.len() as u64);
        }
        let Some(size) = self.wanted.get(&store.hash).map(|wanted| wanted.offer.size) else {
            return;
        };
        match self.write(store, size) {
            Ok(()) if store.last => self.complete(&store.hash, answer),
            Ok(()) => {}
            Err(error) => {
                self.close(&store.hash);
                let len = store.data.len() as u64;
                let record = self.online().file(store.hash, len, size, Received::Write);
                self.station.log.error(record, &error);
                self.give_up(store.hash, answer);
            }
        }
    }

    fn write(&mut self, store: &Store, size: u64) -> Result<(), DiskError> {
        let at = match self.open.iter().position(|open| open.hash == store.hash) {
            Some(at) => at,
            None => self.begin(store, size)?,
        };
        let open = &mut self.open[at];
        open.part.write_at(store.offset, &store.data)?;
        open.meter.add(store.data.len() as u64);
        if let Some(hasher) = &mut open.hasher {
            hasher.update(&store.data);
        }
        Ok(())
    }

    /// Opens the file of a packet; its place among the open ones.
    fn begin(&mut self, store: &Store, size: u64) -> Result<usize, DiskError> {
        let spool = &self.station.spool;
        let mut part = spool.part(&self.neighbour.id, &store.hash)?;
        if store.offset == 0 && part.size()? > 0 {
            part.discard()?;
            part = spool.part(&self.neighbour.id, &store.hash)?;
        }
        let name = store.hash.to_string();
        let meter = self.station.progress.start(Progressing::Rx, &name, Some(size));
        meter.add(store.offset);
        if self.open.len() == MAX_OPEN {
            self.open.remove(0);
        }
        let hasher = (store.offset == 0).then(Hasher::new);
        self.open.push(Open { hash: store.hash, size, part, hasher, meter });
        Ok(self.open.len() - 1)
    }

    fn close(&mut self, hash: &PacketHash) -> Option<Open> {
        let at = self.open.iter().position(|open| open.hash == *hash)?;
        Some(self.open.remove(at))
    }

    /// All bytes of a packet are there.
    fn complete(&mut self, hash: &PacketHash, answer: &mut Answer) {
        let Some(Open { size, part, hasher, .. }) = self.close(hash) else { return };
        let hasher = hasher.filter(|_| !self.terms.nock);
        let Some(hasher) = hasher else { return self.unchecked(*hash, size, part, answer) };
        match part.verified(PacketHash(hasher.finish())) {
            Ok(whole) => {
                self.whole.push(whole);
                if self.whole.len() >= MAX_WHOLE {
                    self.publish(answer);
                }
            }
            Err(error) => self.mismatch(*hash, size, &error, answer),
        }
    }

    /// Makes the packets durable that are verified. Only then the peer is told of them.
    fn publish(&mut self, answer: &mut Answer) {
        let packets = std::mem::take(&mut self.whole);
        let results = self.station.spool.publish(&self.neighbour.id, &packets);
        for (result, packet) in results.into_iter().zip(packets) {
            let hash = packet.hash();
            let size = self.wanted.get(&hash).map_or(0, |wanted| wanted.offer.size);
            match result {
                Ok(()) => {
                    self.told(hash, size, Received::Done);
                    self.station.metrics.rx_packets.fetch_add(1, Relaxed);
                    self.station.verified.note(&self.station.spool, &self.neighbour.id, &hash);
                    self.arrivals.note();
                    self.wanted.remove(&hash);
                    answer.decisions.push((hash, Decision::Have));
                }
                Err(error) => {
                    let record = self.online().file(hash, size, size, Received::Rename);
                    self.station.log.error(record, &error);
                    self.give_up(hash, answer);
                }
            }
        }
    }

    /// The packet is to be verified later: in the background, or by whoever asked for that.
    fn unchecked(&mut self, hash: PacketHash, size: u64, part: Part, answer: &mut Answer) {
        if let Err(error) = part.commit_unchecked() {
            let record = self.online().file(hash, size, size, Received::Rename);
            self.station.log.error(record, &error);
            return self.give_up(hash, answer);
        }
        self.told(hash, size, Received::Downloaded);
        if self.terms.nock {
            answer.decisions.push((hash, Decision::Skip));
        } else {
            self.check(hash);
        }
    }

    /// The packet is not what its name says: away with it, and once more from the start.
    fn mismatch(&mut self, hash: PacketHash, size: u64, error: &CommitError, answer: &mut Answer) {
        self.station.metrics.fault(Fault::Packet);
        let record = self.online().file(hash, size, size, Received::BadChecksum);
        self.station.log.error(record, error);
        let again = self.station.spool.part(&self.neighbour.id, &hash).and_then(Part::discard);
        if again.is_ok() && self.may_try_again(&hash) {
            answer.decisions.push((hash, Decision::Fetch { offset: 0 }));
        } else {
            self.give_up(hash, answer);
        }
    }

    /// Whether a packet whose content was wrong is to be asked for once more.
    fn may_try_again(&mut self, hash: &PacketHash) -> bool {
        let Some(wanted) = self.wanted.get_mut(hash) else { return false };
        wanted.retries += 1;
        wanted.retries <= RETRIES
    }

    fn give_up(&mut self, hash: PacketHash, answer: &mut Answer) {
        self.station.metrics.fault(Fault::Packet);
        answer.failed += 1;
        answer.decisions.push((hash, Decision::Skip));
    }

    fn told(&self, hash: PacketHash, size: u64, received: Received) {
        self.station.log.info(self.online().file(hash, size, size, received));
    }
}

impl Work for Inbound {
    type Job = Job;
    type Answer = Answer;

    fn work(&mut self, job: Job, answer: &mut Answer) {
        match job {
            Job::Begin => self.on_begin(),
            Job::Judged(hash, verdict) => self.on_judged(hash, verdict, answer),
            Job::Offered(offer) => self.on_offered(offer, answer),
            Job::Listed(offer) => self.on_listed(&offer),
            Job::Announced(total) => {
                self.show_total();
                let record = self.online().offered(total.packets, total.bytes);
                self.station.log.info(record);
            }
            Job::Store(store) => self.on_store(&store, answer),
            Job::Odd(oddity, hash) => {
                self.station.metrics.fault(Fault::Protocol);
                let why = format!("{hash}: {oddity}");
                self.station.log.error(self.online().step(Step::Odd), &why);
            }
        }
    }

    fn conclude(&mut self, answer: &mut Answer) {
        if !self.whole.is_empty() {
            self.publish(answer);
        }
    }
}
