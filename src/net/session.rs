//! An established session, from its first packet to the log records of its end.

use super::autotoss::Tosser;
use super::checker;
use super::driver::{Driver, End, Outcome};
use super::inbound::Inbound;
use super::link::Link;
use super::locks::Locks;
use super::metrics::Fault;
use super::outbound::Outbound;
use super::runtime::blocking;
use super::station::Station;
use super::stop::Stop;
use super::terms::Terms;
use super::worker::Worker;
use crate::config::Neighbour;
use crate::log::online::{Figures, Online, Step};
use crate::spool::Xx;
use packmule_protocol::sync::{Closed, PeerError, Session, Traffic, Unconfirmed};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// The result of a finished session.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) figures: Figures,
    /// All packets that were tossed during the session were processed successfully.
    pub(super) tossed_well: bool,
}

/// Runs an established session to its end, with all its disk work.
pub(super) async fn run(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    terms: &Terms,
    mut session: Session,
    mut link: Link,
    locks: Locks,
    stop: Stop,
) -> Ended {
    let online = Online { peer: neighbour.peer(), limit: terms.limit };
    let (verdicts, judged) = mpsc::unbounded_channel();
    let tosser = Tosser::start(station, neighbour, terms);
    let (to_check, checks) =
        checker::start(station, neighbour, terms.limit, verdicts, tosser.arrivals());
    let inbound = Inbound::new(station, neighbour, terms, to_check, tosser.arrivals());
    let outbound = Outbound::new(station, neighbour, terms, session.offered().bytes);
    station.metrics.session_begins();
    let mut outcome = Driver {
        session: &mut session,
        link: &mut link,
        inbound: Worker::new(inbound),
        outbound: Worker::new(outbound),
        judged,
        deadline: station.deadline,
        stop,
        scans: terms.flow.sends(),
    }
    .run()
    .await;
    outcome.left.to_send = still_queued(station, neighbour, outcome.left.to_send).await;
    // Released now, because the peer may call again at once, while this side still verifies or
    // tosses.
    drop(locks);
    link.close().await;
    outcome.failed += checks.await.unwrap_or(1);
    let tossed_well = tosser.finish().await;
    let figures = figures(&session.traffic());
    station.metrics.session_ends(figures.rx, figures.tx);
    tell_end(station, &online, &outcome);
    Ended { outcome, figures, tossed_well }
}

/// Those of the packets that are still queued. Others may have been removed or copied to a medium
/// meanwhile.
async fn still_queued(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    mut packets: Vec<Unconfirmed>,
) -> Vec<Unconfirmed> {
    let (spool, id) = (station.spool.clone(), neighbour.id);
    blocking(move || {
        packets.retain(|packet| spool.holds(&id, Xx::Tx, &packet.hash));
        packets
    })
    .await
}

/// Logs why a session ended, if that is a failure.
fn tell_end(station: &Station, online: &Online<'_>, outcome: &Outcome) {
    let (step, fault): (_, _) = match &outcome.end {
        End::Closed(Closed::Idle | Closed::TimeUp) | End::HungUp | End::Stopped => return,
        End::Closed(Closed::Peer(error)) => match error {
            PeerError::Frame(_) => (Step::Frame, Fault::Protocol),
            PeerError::Noise(_) => (Step::Authenticity, Fault::Protocol),
            _ => (Step::Message, Fault::Protocol),
        },
        End::Closed(_) => (Step::Frame, Fault::Stream),
        End::Stalled => (Step::Sending, Fault::Stream),
        End::Broken(_) => (Step::Frame, Fault::Stream),
    };
    station.metrics.fault(fault);
    station.log.error(online.step(step), &outcome.end);
}

pub(super) fn figures(traffic: &Traffic) -> Figures {
    Figures {
        duration: Instant::now() - traffic.started,
        rx: traffic.rx,
        rx_time: traffic.last_rx - traffic.started,
        tx: traffic.tx,
        tx_time: traffic.last_tx - traffic.started,
    }
}
