//! The receiving side of a session, on disk: writes bytes to `.part` files and publishes complete
//! packets. `offered` decides about offers.

mod offered;

use super::autotoss::Arrivals;
use super::checker::Verdict;
use super::metrics::Fault;
use super::station::Station;
use super::terms::Terms;
use super::worker::Work;
use crate::blocks::Hasher;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::log::online::{Online, Received, Step};
use crate::progress::{Meter, Work as Progressing};
use crate::spool::{CommitError, Part, Whole};
use offered::Offers;
pub(super) use offered::Results;
use packmule_protocol::id::PacketHash;
use packmule_protocol::sync::{Decision, Oddity, Offer, Store, Total};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::UnboundedSender;

/// Limit for open files of incomplete packets. Honest peers send one packet after the other.
const MAX_OPEN: usize = 16;
/// Limit for packets that become durable together; each keeps its file open until then.
const MAX_WHOLE: usize = 32;

/// Work for the receiving side.
pub(super) enum Task {
    /// Start to verify what earlier sessions left unverified.
    Begin,
    /// The verdict on a packet that was verified in the background.
    Judged(PacketHash, Verdict),
    /// The peer offers a packet: decide about it.
    Offered(Offer),
    /// The peer offers a packet, and this side only lists.
    Listed(Offer),
    /// The total of the peer's offers.
    Announced(Total),
    /// Bytes of a packet.
    Store(Store),
    /// A harmless protocol deviation of the peer.
    Odd(Oddity, PacketHash),
}

/// The receiving side of a session.
pub(super) struct Inbound {
    station: Arc<Station>,
    neighbour: Neighbour,
    terms: Terms,
    offers: Offers,
    open: Vec<OpenPart>,
    /// Packets that are verified and not durable yet.
    whole: Vec<Whole>,
    arrivals: Arrivals,
    /// Number of received bytes of the packets to receive.
    received: u64,
    total: Option<Meter>,
}

/// A packet that is being received.
struct OpenPart {
    hash: PacketHash,
    size: u64,
    part: Part,
    /// Hash of all bytes so far; `None` if some of them came from an earlier session.
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
            offers: Offers::new(station, neighbour, terms, to_check),
            open: Vec::new(),
            whole: Vec::new(),
            arrivals,
            received: 0,
            total: None,
        }
    }

    fn online(&self) -> Online<'_> {
        Online { peer: self.neighbour.peer(), limit: self.terms.limit }
    }

    /// Displays the total progress, again whenever there is more to receive than before.
    fn show_total(&mut self) {
        self.total = None;
        if self.offers.expected() > 0 {
            let (name, all) = (&self.neighbour.name, Some(self.offers.expected()));
            let meter = self.station.progress.start(Progressing::Rx, name, all);
            meter.add(self.received);
            self.total = Some(meter);
        }
    }

    fn on_store(&mut self, store: &Store, results: &mut Results) {
        results.bytes += store.data.len();
        self.offers.came(store.data.len() as u64);
        self.received += store.data.len() as u64;
        if let Some(meter) = &self.total {
            meter.add(store.data.len() as u64);
        }
        let Some(size) = self.offers.size(&store.hash) else { return };
        match self.write(store, size) {
            Ok(()) if store.last => self.complete(&store.hash, results),
            Ok(()) => {}
            Err(error) => {
                self.close(&store.hash);
                let len = store.data.len() as u64;
                let record = self.online().file(store.hash, len, size, Received::Write);
                self.station.log.error(record, &error);
                self.offers.give_up(store.hash, results);
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

    /// Opens the file of a packet. Returns its index among the open ones.
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
        self.open.push(OpenPart { hash: store.hash, size, part, hasher, meter });
        Ok(self.open.len() - 1)
    }

    fn close(&mut self, hash: &PacketHash) -> Option<OpenPart> {
        let at = self.open.iter().position(|open| open.hash == *hash)?;
        Some(self.open.remove(at))
    }

    /// Handles a packet of which all bytes have arrived.
    fn complete(&mut self, hash: &PacketHash, results: &mut Results) {
        let Some(OpenPart { size, part, hasher, .. }) = self.close(hash) else { return };
        let hasher = hasher.filter(|_| !self.terms.nock);
        let Some(hasher) = hasher else { return self.unchecked(*hash, size, part, results) };
        match part.verified(PacketHash(hasher.finish())) {
            Ok(whole) => {
                self.whole.push(whole);
                if self.whole.len() >= MAX_WHOLE {
                    self.publish(results);
                }
            }
            Err(error) => self.mismatch(*hash, size, &error, results),
        }
    }

    /// Makes verified packets durable, and only then confirms them to the peer.
    fn publish(&mut self, results: &mut Results) {
        let packets = std::mem::take(&mut self.whole);
        let published = self.station.spool.publish(&self.neighbour.id, &packets);
        for (result, packet) in published.into_iter().zip(packets) {
            let hash = packet.hash();
            let size = self.offers.size(&hash).unwrap_or(0);
            match result {
                Ok(()) => {
                    self.told(hash, size, Received::Done);
                    self.station.metrics.rx_packets.fetch_add(1, Relaxed);
                    self.station.verified.note(&self.station.spool, &self.neighbour.id, &hash);
                    self.arrivals.note();
                    self.offers.close(&hash);
                    results.decisions.push((hash, Decision::Have));
                }
                Err(error) => {
                    let record = self.online().file(hash, size, size, Received::Rename);
                    self.station.log.error(record, &error);
                    self.offers.give_up(hash, results);
                }
            }
        }
    }

    /// Leaves a packet to be verified later: in the background, or by the user who asked for that.
    fn unchecked(&mut self, hash: PacketHash, size: u64, part: Part, results: &mut Results) {
        if let Err(error) = part.commit_unchecked() {
            let record = self.online().file(hash, size, size, Received::Rename);
            self.station.log.error(record, &error);
            return self.offers.give_up(hash, results);
        }
        self.told(hash, size, Received::Downloaded);
        if self.terms.nock {
            results.decisions.push((hash, Decision::Skip));
        } else {
            self.offers.check(hash);
        }
    }

    /// Removes a packet whose hash is not its name, and requests it again from the start.
    fn mismatch(
        &mut self,
        hash: PacketHash,
        size: u64,
        error: &CommitError,
        results: &mut Results,
    ) {
        self.station.metrics.fault(Fault::Packet);
        let record = self.online().file(hash, size, size, Received::BadChecksum);
        self.station.log.error(record, error);
        let again = self.station.spool.part(&self.neighbour.id, &hash).and_then(Part::discard);
        if again.is_ok() && self.offers.may_try_again(&hash) {
            results.decisions.push((hash, Decision::Fetch { offset: 0 }));
        } else {
            self.offers.give_up(hash, results);
        }
    }

    fn told(&self, hash: PacketHash, size: u64, received: Received) {
        self.station.log.info(self.online().file(hash, size, size, received));
    }
}

impl Work for Inbound {
    type Task = Task;
    type Results = Results;

    fn work(&mut self, task: Task, results: &mut Results) {
        match task {
            Task::Begin => self.offers.on_begin(),
            Task::Judged(hash, verdict) => self.offers.on_judged(hash, verdict, results),
            Task::Offered(offer) => self.offers.on_offered(offer, results),
            Task::Listed(offer) => self.offers.on_listed(&offer),
            Task::Announced(total) => {
                self.show_total();
                let record = self.online().offered(total.packets, total.bytes);
                self.station.log.info(record);
            }
            Task::Store(store) => self.on_store(&store, results),
            Task::Odd(oddity, hash) => {
                self.station.metrics.fault(Fault::Protocol);
                let why = format!("{hash}: {oddity}");
                self.station.log.error(self.online().step(Step::Odd), &why);
            }
        }
    }

    fn conclude(&mut self, results: &mut Results) {
        if !self.whole.is_empty() {
            self.publish(results);
        }
    }
}
