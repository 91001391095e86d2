//! From a stream to the end of a session: handshake, locks, the session itself, what is said
//! about it.

use super::autotoss::Tosser;
use super::checker;
use super::driver::{Driver, End, Outcome};
use super::inbound::Inbound;
use super::link::Link;
use super::metrics::Fault;
use super::outbound::{self, Outbound};
use super::registry::Seat;
use super::runtime::blocking;
use super::station::{Station, neighbour_of};
use super::stop::Stop;
use super::terms::Terms;
use super::worker::Worker;
use crate::config::{BadKey, Neighbour};
use crate::disk::DiskError;
use crate::log::online::{Figures, Online, Step};
use crate::random::NoRandomness;
use crate::spool::{Lock, LockKind, Xx};
use packmule_protocol::keys::NoisePublic;
use packmule_protocol::sync::{Closed, Offer, PeerError, Session, Total, Traffic, Unconfirmed};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// Bytes read at a time during the handshake.
const READ: usize = 16 << 10;

/// A session did not begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetupError {
    /// The handshake failed.
    #[error(transparent)]
    Handshake(Closed),
    /// The peer hung up: it does not know our key, or is busy with us already.
    #[error("peer hung up before the handshake was done")]
    HungUp,
    /// The stream broke.
    #[error(transparent)]
    Stream(#[from] io::Error),
    /// Another session with this neighbour is running.
    #[error("resource temporarily unavailable")]
    Busy,
    /// The spool.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The caller's key is no neighbour's.
    #[error("unknown peer")]
    UnknownKey,
    /// The neighbour's key can not keep a secret.
    #[error(transparent)]
    BadKey(BadKey),
    /// This configuration has no private keys.
    #[error("no private keys in the configuration")]
    NoKeys,
    /// No randomness for the session's ephemeral key.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// We were told to stop.
    #[error("stopped")]
    Stopped,
}

/// What a session has for itself until it is over: its locks, and in a daemon its place.
#[derive(Debug, Default)]
pub(super) struct Locks {
    _held: Vec<Lock>,
    _seat: Option<Seat>,
}

impl Locks {
    pub(super) fn with_seat(self, seat: Seat) -> Self {
        Self { _seat: Some(seat), ..self }
    }
}

/// What a session that is over came to.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) figures: Figures,
    /// Whether all packets that were tossed during the session went well.
    pub(super) tossed_well: bool,
}

/// Takes the locks that the session needs, first `rx`, then `tx`; with one of them held elsewhere
/// the other is released again.
pub(super) async fn lock(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    terms: &Terms,
) -> Result<Locks, SetupError> {
    let (spool, id, flow) = (station.spool.clone(), neighbour.id, terms.flow);
    blocking(move || {
        let mut locks = Vec::new();
        for (wanted, kind) in [(flow.receives(), LockKind::Rx), (flow.sends(), LockKind::Tx)] {
            if wanted {
                locks.push(spool.lock(&id, kind)?.ok_or(SetupError::Busy)?);
            }
        }
        Ok(Locks { _held: locks, _seat: None })
    })
    .await
}

/// What waits for the neighbour.
pub(super) async fn offers(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    terms: &Terms,
) -> Result<Vec<Offer>, SetupError> {
    if !terms.flow.sends() {
        return Ok(Vec::new());
    }
    let (spool, id) = (station.spool.clone(), neighbour.id);
    Ok(blocking(move || outbound::offers(&spool, &id)).await?)
}

/// Says what we are about to announce.
pub(super) fn tell_offers(
    station: &Station,
    neighbour: &Neighbour,
    terms: &Terms,
    offers: &[Offer],
) {
    let within = offers.iter().filter(|offer| offer.nice <= terms.limit);
    let (packets, bytes) =
        within.fold((0, 0), |(packets, bytes), offer| (packets + 1, bytes + offer.size));
    tell_announced(station, neighbour, terms, Total { packets, bytes });
}

/// Says what is announced, if anything is.
pub(super) fn tell_announced(
    station: &Station,
    neighbour: &Neighbour,
    terms: &Terms,
    announced: Total,
) {
    if announced.packets > 0 {
        let online = Online { peer: neighbour.peer(), limit: terms.limit };
        station.log.info(online.announced(announced.packets, announced.bytes));
    }
}

/// Moves bytes until `done` says that it is enough (the caller's key is there, the handshake is
/// done), or until a time.
pub(super) async fn shake(
    session: &mut Session,
    link: &mut Link,
    stop: &mut Stop,
    until: Option<Instant>,
    done: impl Fn(&Session) -> bool,
) -> Result<(), SetupError> {
    let mut buffer = vec![0; READ];
    loop {
        let now = Instant::now();
        session.handle_timeout(now);
        if let Some(closed) = session.closed() {
            return Err(SetupError::Handshake(closed));
        }
        let wake = session.poll_timeout().unwrap_or(now);
        let mut out = Vec::new();
        while session.poll_output(now, &mut out) {}
        if !out.is_empty() {
            tokio::select! {
                wrote = link.writer.write_all(&out) => wrote.map_err(broken)?,
                () = sleep_until(wake.into()) => {
                    return Err(SetupError::Handshake(Closed::NoHandshake));
                }
                () = stop.stopped() => return Err(SetupError::Stopped),
            }
        }
        if done(session) || until.is_some_and(|until| now >= until) {
            return Ok(());
        }
        let wake = until.map_or(wake, |until| until.min(wake));
        tokio::select! {
            read = link.reader.read(&mut buffer) => match read.map_err(broken)? {
                0 => return Err(SetupError::HungUp),
                len => session.handle_input(Instant::now(), &buffer[..len]),
            },
            () = sleep_until(wake.into()) => {}
            () = stop.stopped() => return Err(SetupError::Stopped),
        }
        if done(session) {
            return Ok(());
        }
    }
}

/// Who hangs up before it has read what we sent resets the connection: that is no other end.
fn broken(error: io::Error) -> SetupError {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => SetupError::HungUp,
        _ => SetupError::Stream(error),
    }
}

/// Reads the first message: the neighbour that calls.
pub(super) async fn identify(
    station: &Arc<Station>,
    session: &mut Session,
    link: &mut Link,
    stop: &mut Stop,
) -> Result<Neighbour, Caller> {
    let identified = |session: &Session| session.caller().is_some();
    shake(session, link, stop, None, identified).await.map_err(Caller::Silent)?;
    let key = session.caller().expect("identified");
    let node = station.node();
    neighbour_of(&node, &key).cloned().ok_or(Caller::Unknown(key))
}

/// A caller that did not become one.
pub(super) enum Caller {
    /// It did not complete the first message, or not well.
    Silent(SetupError),
    /// Its key is no neighbour's.
    Unknown(NoisePublic),
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
    station.metrics.active.fetch_add(1, Relaxed);
    station.metrics.sessions.fetch_add(1, Relaxed);
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
    // The peer may call again as soon as it sees the end, whatever is verified or tossed still.
    drop(locks);
    link.close().await;
    outcome.failed += checks.await.unwrap_or(1);
    let tossed_well = tosser.finish().await;
    station.metrics.active.fetch_sub(1, Relaxed);
    let figures = figures(&session.traffic());
    station.metrics.rx_bytes.fetch_add(figures.rx, Relaxed);
    station.metrics.tx_bytes.fetch_add(figures.tx, Relaxed);
    tell_end(station, &online, &outcome);
    Ended { outcome, figures, tossed_well }
}

/// Those of the packets that are still in the queue: others may have been removed meanwhile, or
/// taken by stick.
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

/// Says why a session ended, if it should not have.
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
