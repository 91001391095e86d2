//! Answers a call: identifies the caller, waits for a proof that it is alive, and runs its session.
//!
//! Anybody can replay a recorded first message. So before a caller is proven, it gets nothing that
//! others need: no lock, no place among the sessions, and no connection that is kept when all are
//! in use. The daemon answers it, asks for a proof, and announces its packets. A genuine caller
//! that has nothing to send stays in this state until one side hangs up.

use super::handshake::{self, SetupError, Unidentified};
use super::link::Link;
use super::locks::{self, Locks};
use super::metrics::Fault;
use super::refusals::{Refusals, Say};
use super::registry::Registry;
use super::station::Station;
use super::stop::Stop;
use super::terms::Terms;
use super::{offers, session};
use crate::config::Neighbour;
use crate::log::online::{self, Online, Step};
use crate::random;
use packmule_protocol::id::NodeId;
use packmule_protocol::sync::{Closed, Session};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Interval for listing the queue for a caller that is not proven.
const SCAN: Duration = Duration::from_secs(1);
/// How long locks that were free are assumed to be free.
const FRESH: Duration = Duration::from_secs(1);

/// True once a connection has proven its identity.
pub(super) type Known = Arc<AtomicBool>;

/// State that the sessions of a daemon share.
pub(super) struct Server {
    pub(super) station: Arc<Station>,
    terms: Terms,
    registry: Registry,
    refusals: Refusals,
    /// When the locks of a neighbour were last found free. The mutex is held while locks are taken,
    /// so that two callers do not block each other.
    free: Mutex<HashMap<NodeId, Instant>>,
}

/// A call that is being answered: the session and its stream.
struct Answered {
    session: Session,
    link: Link,
    stop: Stop,
}

impl Server {
    pub(super) fn new(station: &Arc<Station>, terms: Terms) -> Self {
        Self {
            station: Arc::clone(station),
            terms,
            registry: Registry::default(),
            refusals: Refusals::default(),
            free: Mutex::default(),
        }
    }

    /// Runs one session, from its first byte to its last.
    pub(super) async fn answer(&self, mut link: Link, from: &str, known: &Known, mut stop: Stop) {
        let station = &self.station;
        let Some(key) = station.key() else { return };
        let ephemeral = match random::seed() {
            Ok(seed) => seed,
            Err(error) => return self.refuse(&Unidentified::Silent(error.into()), from),
        };
        let mut session = Session::answer(Instant::now(), key, ephemeral, station.deadline);
        let neighbour = match handshake::identify(station, &mut session, &mut link, &mut stop).await
        {
            Ok(neighbour) => neighbour,
            Err(caller) => return self.refuse(&caller, from),
        };
        let mut answered = Answered { session, link, stop };
        let greeted = self.greet(&neighbour, &mut answered).await;
        // The reference logs this after a failure, too.
        if let Err(error) = greeted {
            self.failed(&neighbour, &error);
            station.log.info(online::answer_started(neighbour.peer(), from));
            return;
        }
        station.log.info(online::answer_started(neighbour.peer(), from));
        let figures = self.converse(&neighbour, answered, known).await;
        station.log.info(online::answer_finished(neighbour.peer(), &figures));
    }

    /// Sends the second message.
    ///
    /// Hangs up before that if another process holds the locks, like the reference: its callers
    /// then report a failure and not a session without packets.
    async fn greet(
        &self,
        neighbour: &Neighbour,
        answered: &mut Answered,
    ) -> Result<(), SetupError> {
        let (station, terms) = (&self.station, &self.terms);
        self.look_for_locks(neighbour).await?;
        let offers = offers::waiting(station, neighbour, terms).await?;
        offers::tell(station, neighbour, terms, &offers);
        let options = terms.options(neighbour, station.deadline);
        let Answered { session, link, stop } = answered;
        session.accept(Instant::now(), options, offers);
        let shake = handshake::shake(session, link, stop, None, Session::is_established);
        let late = Err(SetupError::Handshake(Closed::NoHandshake));
        timeout(station.deadline, shake).await.unwrap_or(late)
    }

    /// Fails if another process has a session with the neighbour. Checks at most once a second,
    /// because checking takes the locks for a moment.
    async fn look_for_locks(&self, neighbour: &Neighbour) -> Result<(), SetupError> {
        let mut free = self.free.lock().await;
        let fresh = free.get(&neighbour.id).is_some_and(|when| when.elapsed() < FRESH);
        if !fresh && !self.registry.is_taken(&neighbour.id) {
            drop(locks::take(&self.station, neighbour, &self.terms).await?);
            free.insert(neighbour.id, Instant::now());
        }
        Ok(())
    }

    /// The session after its handshake.
    async fn converse(
        &self,
        neighbour: &Neighbour,
        mut answered: Answered,
        known: &Known,
    ) -> online::Figures {
        let started = match self.prove(neighbour, &mut answered).await {
            Ok(()) => {
                known.store(true, Ordering::Relaxed);
                self.begin(neighbour).await
            }
            Err(error) => Err(error),
        };
        let Answered { session, link, stop } = answered;
        match started {
            Ok((locks, replaced)) => {
                let (station, terms, stop) = (&self.station, &self.terms, stop.or(&replaced));
                session::run(station, neighbour, terms, session, link, locks, stop).await.figures
            }
            Err(error) => {
                self.failed(neighbour, &error);
                session::figures(&session.traffic())
            }
        }
    }

    /// Waits until the caller is proven, and announces what is queued for it meanwhile.
    async fn prove(
        &self,
        neighbour: &Neighbour,
        answered: &mut Answered,
    ) -> Result<(), SetupError> {
        let Answered { session, link, stop } = answered;
        let (station, terms) = (&self.station, &self.terms);
        loop {
            let scan = Instant::now() + SCAN;
            handshake::shake(session, link, stop, Some(scan), Session::is_proven).await?;
            if session.is_proven() {
                return Ok(());
            }
            let new = session.offer(offers::waiting(station, neighbour, terms).await?);
            offers::tell_total(station, neighbour, terms, new);
        }
    }

    /// Takes the neighbour's place and its locks. Ends an older session that has the place. Also
    /// returns the signal by which a later session takes over.
    async fn begin(&self, neighbour: &Neighbour) -> Result<(Locks, Stop), SetupError> {
        let seat = self.registry.take(neighbour.id).await.ok_or(SetupError::Busy)?;
        let replaced = seat.stop.clone();
        let _turn = self.free.lock().await;
        let locks = locks::take(&self.station, neighbour, &self.terms).await?;
        Ok((locks.with_seat(seat), replaced))
    }

    /// Logs why a neighbour's call did not become a session, if that is a failure.
    fn failed(&self, neighbour: &Neighbour, error: &SetupError) {
        let (fault, step) = match error {
            // Neither side had anything to send.
            SetupError::HungUp | SetupError::Stopped => return,
            SetupError::Handshake(Closed::Idle | Closed::TimeUp | Closed::Silent) => return,
            SetupError::Handshake(Closed::Unproven) => (Fault::Handshake, Step::Frame),
            SetupError::Busy => (Fault::Busy, Step::AnswerWrite),
            _ => (Fault::Handshake, Step::AnswerWrite),
        };
        self.station.metrics.fault(fault);
        let recorded = step == Step::Frame;
        if recorded && self.refusals.count(Instant::now()) == Say::Nothing {
            return;
        }
        let online = Online { peer: neighbour.peer(), limit: self.terms.limit };
        self.station.log.error(online.step(step), error);
    }

    /// Logs a caller that did not become a session.
    fn refuse(&self, caller: &Unidentified, from: &str) {
        let fault = match caller {
            Unidentified::Silent(SetupError::Stopped) => return,
            Unidentified::Silent(_) => Fault::Handshake,
            Unidentified::Unknown(_) => Fault::UnknownKey,
        };
        let (station, limit) = (&self.station, self.terms.limit);
        station.metrics.fault(fault);
        match self.refusals.count(Instant::now()) {
            Say::All => {}
            Say::AllAfter(untold) => {
                let error = format!("{untold} more connections were rejected");
                station.log.error(online::accepting(), &error);
            }
            Say::Nothing => return,
        }
        match caller {
            Unidentified::Silent(error) => {
                station.log.error(online::first_message(limit, from), error);
            }
            Unidentified::Unknown(key) => {
                let record = online::unknown_key(limit, key, from);
                station.log.error(record, &SetupError::UnknownKey);
            }
        }
        station.log.info(online::answer_unknown(from));
    }
}
