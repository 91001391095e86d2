//! Verifies packets in the background: those received in several parts, those that earlier sessions
//! left unverified, and those that the peer offers although the spool has them.

use super::autotoss::Arrivals;
use super::metrics::Fault;
use super::runtime::blocking;
use super::station::Station;
use super::verified::stamp;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::log::online::Online;
use crate::spool::{CommitError, Present, Suffix, Xx};
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// What the spool has of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The complete packet, verified, published and durable.
    Good,
    /// Nothing, or only damaged data.
    Missing,
    /// Unknown because of an error, which is in the log.
    Failed,
}

/// Verifies one session's packets.
struct Checker {
    station: Arc<Station>,
    neighbour: Neighbour,
    limit: Niceness,
    verdicts: UnboundedSender<(PacketHash, Verdict)>,
    arrivals: Arrivals,
}

/// Starts to verify the packets that the session names. Returns, when the channel closes, the
/// number of packets that failed too late for the session to learn of it.
pub(super) fn start(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    limit: Niceness,
    verdicts: UnboundedSender<(PacketHash, Verdict)>,
    arrivals: Arrivals,
) -> (UnboundedSender<PacketHash>, JoinHandle<usize>) {
    let (sender, receiver) = unbounded_channel();
    let checker = Checker {
        station: Arc::clone(station),
        neighbour: neighbour.clone(),
        limit,
        verdicts,
        arrivals,
    };
    (sender, tokio::spawn(checker.run(receiver)))
}

impl Checker {
    async fn run(self, mut named: UnboundedReceiver<PacketHash>) -> usize {
        let check = Arc::new(self);
        let mut late = 0;
        while let Some(hash) = named.recv().await {
            let turn = check.station.verified.turns.acquire().await;
            let judge = Arc::clone(&check);
            let verdict = blocking(move || judge.judge(&hash)).await;
            drop(turn);
            let told = check.verdicts.send((hash, verdict)).is_ok();
            late += usize::from(!told && verdict != Verdict::Good);
        }
        late
    }

    /// Verifies the published packet, or else the unverified one.
    fn judge(&self, hash: &PacketHash) -> Verdict {
        let Station { spool, progress, verified, .. } = &*self.station;
        let id = &self.neighbour.id;
        let stamp = stamp(spool, id, hash);
        if stamp.is_some_and(|stamp| verified.knows(id, hash, stamp)) {
            return Verdict::Good;
        }
        match spool.present(id, Xx::Rx, *hash, progress) {
            Ok(Present::Good(_)) => {
                if let Some(stamp) = stamp {
                    verified.note_as(id, hash, stamp);
                }
                Verdict::Good
            }
            Ok(Present::Nothing) => self.judge_nock(hash),
            // An unverified copy may be good and replace the damaged one.
            Ok(Present::Damaged(damage)) => {
                self.bad(hash, 0, &damage);
                self.judge_nock(hash)
            }
            Err(obstacle) => {
                self.bad(hash, 0, &obstacle);
                Verdict::Failed
            }
        }
    }

    fn judge_nock(&self, hash: &PacketHash) -> Verdict {
        let Station { spool, progress, .. } = &*self.station;
        let nock = match spool.nock(&self.neighbour.id, hash) {
            Ok(Some(nock)) => nock,
            Ok(None) => return Verdict::Missing,
            // A packet that is shorter than its header is damaged.
            Err(error) => return self.throw_away(hash, &error),
        };
        match spool.check_nock(&nock, progress) {
            Ok(()) => {
                self.station.log.info(self.online().checked(*hash, nock.size));
                self.station.metrics.rx_packets.fetch_add(1, Relaxed);
                self.station.verified.note(spool, &self.neighbour.id, hash);
                self.arrivals.note();
                Verdict::Good
            }
            Err(CommitError::Disk(error)) if is_gone(&error) => Verdict::Missing,
            Err(CommitError::Disk(error)) => {
                self.bad(hash, nock.size, &error);
                Verdict::Failed
            }
            Err(error @ CommitError::Mismatch { .. }) => self.throw_away(hash, &error),
        }
    }

    /// Removes a damaged packet, so that it can be received again. (The reference keeps it and
    /// never requests the packet again.)
    fn throw_away(&self, hash: &PacketHash, why: &dyn std::fmt::Display) -> Verdict {
        self.bad(hash, 0, why);
        let spool = &self.station.spool;
        let path = spool.unfinished(&self.neighbour.id, hash, Suffix::Nock);
        spool.disk().remove_if_there(&path).ok();
        Verdict::Missing
    }

    fn bad(&self, hash: &PacketHash, size: u64, why: &dyn std::fmt::Display) {
        self.station.metrics.fault(Fault::Packet);
        self.station.log.error(self.online().checking(*hash, size), why);
    }

    fn online(&self) -> Online<'_> {
        Online { peer: self.neighbour.peer(), limit: self.limit }
    }
}

fn is_gone(error: &DiskError) -> bool {
    error.cause.kind() == std::io::ErrorKind::NotFound
}
