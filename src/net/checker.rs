//! Verifying packets in the background: those that were received in pieces, and those that earlier
//! sessions left unverified.

use super::autotoss::Arrivals;
use super::metrics::Fault;
use super::station::Station;
use super::talk::blocking;
use crate::config::Neighbour;
use crate::log::online::Online;
use crate::spool::{CommitError, Job, Suffix};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::Decision;
use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Verifies one packet at a time, on all cores. Sessions take turns, packet by packet, so that one
/// neighbour's many do not delay the others'.
pub(super) struct Checker {
    turns: Semaphore,
    under_way: Mutex<HashSet<(NodeId, PacketHash)>>,
}

impl Default for Checker {
    fn default() -> Self {
        Self { turns: Semaphore::new(1), under_way: Mutex::default() }
    }
}

/// The verifying of one session.
struct Check {
    station: Arc<Station>,
    neighbour: Neighbour,
    limit: Niceness,
    verdicts: UnboundedSender<(PacketHash, Decision)>,
    arrivals: Arrivals,
}

/// Starts verifying what earlier sessions left, and then what the session names. The number of bad
/// packets is told when the session names no more.
pub(super) fn start(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    limit: Niceness,
    verdicts: UnboundedSender<(PacketHash, Decision)>,
    arrivals: Arrivals,
) -> (UnboundedSender<PacketHash>, JoinHandle<usize>) {
    let (sender, receiver) = unbounded_channel();
    let check = Check {
        station: Arc::clone(station),
        neighbour: neighbour.clone(),
        limit,
        verdicts,
        arrivals,
    };
    (sender, tokio::spawn(check.run(receiver)))
}

impl Check {
    async fn run(self, mut named: UnboundedReceiver<PacketHash>) -> usize {
        let mut bad = 0;
        let (spool, id) = (self.station.spool.clone(), self.neighbour.id);
        for nock in blocking(move || spool.nocks(&id)).await.unwrap_or_default().jobs {
            if nock.nice() <= self.limit {
                bad += usize::from(!self.verify(nock).await);
            }
        }
        while let Some(hash) = named.recv().await {
            let spool = self.station.spool.clone();
            match blocking(move || spool.nock(&id, &hash)).await {
                Ok(Some(nock)) => bad += usize::from(!self.verify(nock).await),
                // Not even a header: it can not be what it should.
                _ => {
                    self.refuse(&hash);
                    bad += 1;
                }
            }
        }
        bad
    }

    /// Verifies one packet; whether it is good.
    async fn verify(&self, nock: Job) -> bool {
        let checker = &self.station.checker;
        let key = (nock.node, nock.hash);
        let lock = || checker.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if !lock().insert(key) {
            return true;
        }
        let turn = checker.turns.acquire().await;
        let station = Arc::clone(&self.station);
        let (hash, size) = (nock.hash, nock.size);
        let verdict = blocking(move || station.spool.check_nock(&nock, &station.progress)).await;
        drop(turn);
        lock().remove(&key);
        let online = Online { peer: self.neighbour.peer(), limit: self.limit };
        match verdict {
            Ok(()) => {
                self.station.log.info(online.checked(hash, size));
                self.station.metrics.rx_packets.fetch_add(1, Relaxed);
                self.arrivals.note();
                self.verdicts.send((hash, Decision::Have)).ok();
                true
            }
            Err(CommitError::Disk(error)) if error.cause.kind() == std::io::ErrorKind::NotFound => {
                true
            }
            Err(CommitError::Disk(error)) => {
                self.station.log.error(online.checking(hash, size), &error);
                self.verdicts.send((hash, Decision::Skip)).ok();
                false
            }
            Err(error @ CommitError::Mismatch { .. }) => {
                self.station.log.error(online.checking(hash, 0), &error);
                self.refuse(&hash);
                false
            }
        }
    }

    /// Removes a packet that is not what its name says, so that it can be received again. (The
    /// reference keeps it, and never asks for the packet again.)
    fn refuse(&self, hash: &PacketHash) {
        self.station.metrics.fault(Fault::Packet);
        let spool = &self.station.spool;
        let path = spool.unfinished(&self.neighbour.id, hash, Suffix::Nock);
        spool.disk().remove_if_there(&path).ok();
        self.verdicts.send((*hash, Decision::Fetch { offset: 0 })).ok();
    }
}
