//! Answering a call: who calls, whether it is there, and its session.
//!
//! A recorded first message can be sent again by anybody. So a caller gets nothing that others wait
//! for before it is proven: no lock, no place among the sessions, no connection that is kept when
//! all are in use. It is answered and asked for a proof, and told of what waits for it; a genuine
//! caller that has nothing to say stays in this state until one side hangs up.

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

/// The queue for a caller that is not proven is looked at so often.
const SCAN: Duration = Duration::from_secs(1);
/// Locks that were free are taken for free for so long.
const FRESH: Duration = Duration::from_secs(1);

/// Whether a connection has proven who it is.
pub(super) type Known = Arc<AtomicBool>;

/// What the sessions of a daemon share.
pub(super) struct Server {
    pub(super) station: Arc<Station>,
    terms: Terms,
    registry: Registry,
    refusals: Refusals,
    /// When the locks of a neighbour were last found free. Held while locks are taken, so that
    /// two callers are not in each other's way.
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

    /// One session, from the first byte to the last.
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
        // The reference says so after a failure too.
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
    /// Locks that another process holds are a reason to hang up before, as the reference does: its
    /// callers take that for a failure and not for a session without packets.
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

    /// Whether no other process has a session with the neighbour. Asked once a second at most, for
    /// asking takes the locks for a moment.
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

    /// Takes the neighbour's place, in which another session may be that is over or dead, and its
    /// locks. Also, what is told when the place is taken in turn.
    async fn begin(&self, neighbour: &Neighbour) -> Result<(Locks, Stop), SetupError> {
        let seat = self.registry.take(neighbour.id).await.ok_or(SetupError::Busy)?;
        let replaced = seat.stop.clone();
        let _turn = self.free.lock().await;
        let locks = locks::take(&self.station, neighbour, &self.terms).await?;
        Ok((locks.with_seat(seat), replaced))
    }

    /// Says why a neighbour's call did not become a session, if it should have.
    fn failed(&self, neighbour: &Neighbour, error: &SetupError) {
        let (fault, step) = match error {
            // It had nothing to say, and we had nothing that it wanted.
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

    /// Says who did not become a session.
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
                let error = format!("{untold} more connections came to nothing");
                station.log.error(online::accepting(), &error);
            }
            Say::Nothing => return,
        }
        match caller {
            Unidentified::Silent(error) => {
                station.log.error(online::first_message(limit, from), error)
            }
            Unidentified::Unknown(key) => {
                let record = online::unknown_key(limit, key, from);
                station.log.error(record, &SetupError::UnknownKey);
            }
        }
        station.log.info(online::answer_unknown(from));
    }
}
