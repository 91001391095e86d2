//! The session: a value that is handed bytes and the time, and is asked for bytes, events and its
//! next deadline.
//!
//! ```text
//! call ──► Calling ─second message─────────────────┐
//!                                                  ▼
//! answer ─► Listening ─first message─► Identifying ─accept─► Running ──► (closed)
//! ```
//!
//! A first message can be recorded and sent again by anybody, so it proves nothing. After
//! [`Session::accept`] the session is unproven until a frame authenticates that only the owner of
//! the key can have made: nothing that the first message announced becomes an event before. The
//! session asks for such a frame (see [`Running::ask_for_proof`]), and a caller sends one at once.
//!
//! It never opens a packet. It emits [`Event::Read`] and is given the bytes, emits
//! [`Event::Store`] and is told what became of them.

use super::LONGEST;
use super::event::{Closed, Decision, Event, Left, PeerError, Traffic};
use super::frame::{self, Deframer, HEADER_LEN};
use super::handshake::{Initiator, Responder, Transport};
use super::offers::{Offer, Total};
use super::options::{self, Options};
use super::phase::Phase;
use super::running::{Running, Stage};
use crate::id::PacketHash;
use crate::keys::{NoisePrivate, NoisePublic};
use crate::seed::Seed;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Events that nobody took: above this the session asks for no more input.
const MAX_EVENTS: usize = 1024;

/// A session, from the first byte to the last.
pub struct Session {
    phase: Phase,
    deframer: Deframer,
    events: VecDeque<Event>,
    closed: Option<Closed>,
    traffic: Traffic,
    /// With a limited `rxrate`, when the next message may be looked at.
    next_message: Instant,
    /// Time for the handshake, and for an unproven caller's answer.
    deadline: Duration,
    unproven: Option<Unproven>,
}

/// A caller whose first message may be a recording.
struct Unproven {
    /// What the first message said.
    payload: Vec<u8>,
    /// If the caller was asked for something, when it has to have answered.
    until: Option<Instant>,
}

impl Session {
    /// Calls `peer` and offers it `offers`. The handshake has to be done within `deadline`;
    /// `ephemeral` becomes its ephemeral key.
    pub fn call(
        now: Instant,
        keys: &NoisePrivate,
        peer: &NoisePublic,
        ephemeral: Seed,
        deadline: Duration,
        options: Options,
        offers: Vec<Offer>,
    ) -> Self {
        let mut running = Box::new(Running::new(now, options, offers));
        let (initiator, first) = Initiator::start(keys, peer, ephemeral, &running.first_payload());
        let deadline = deadline.min(LONGEST);
        let (initiator, until) = (Box::new(initiator), now + deadline);
        Self::new(now, deadline, Phase::Calling { initiator, first, until, running })
    }

    /// Waits for a call, whoever calls. The handshake has to be done within `deadline`.
    /// `ephemeral` becomes the ephemeral key of the handshake.
    pub fn answer(now: Instant, keys: NoisePrivate, ephemeral: Seed, deadline: Duration) -> Self {
        let deadline = deadline.min(LONGEST);
        let until = now + deadline;
        Self::new(now, deadline, Phase::Listening { keys, ephemeral, until })
    }

    /// A called session whose handshake is done, with `payload` in the caller's first message: fuzzing is
    /// not about curves.
    #[cfg(fuzzing)]
    pub fn established(
        now: Instant,
        transport: Transport,
        options: Options,
        offers: Vec<Offer>,
        payload: &[u8],
    ) -> Self {
        let running = Box::new(Running::new(now, options, offers));
        let mut session = Self::new(now, super::DEADLINE, Phase::Over { left: Left::default() });
        session.answered(now, running, transport, Vec::new(), payload.to_vec());
        session
    }

    fn new(now: Instant, deadline: Duration, phase: Phase) -> Self {
        Self {
            phase,
            deframer: Deframer::default(),
            events: VecDeque::new(),
            closed: None,
            traffic: Traffic { started: now, rx: 0, last_rx: now, tx: 0, last_tx: now },
            next_message: now,
            deadline,
            unproven: None,
        }
    }

    /// Takes the call of [`Session::caller`], and offers `offers`. What the caller offers becomes
    /// events when the session [is proven](Self::is_proven).
    pub fn accept(&mut self, now: Instant, options: Options, offers: Vec<Offer>) {
        let (responder, payload) = match self.phase.take() {
            Phase::Identifying { responder, payload, .. } => (responder, payload),
            other => {
                self.phase = other;
                return;
            }
        };
        let mut running = Box::new(Running::new(now, options, offers));
        let (answer, transport) = responder.finish(&running.first_payload());
        self.answered(now, running, transport, answer, payload);
    }

    /// The second message is ready: the session runs, and its caller is to prove itself.
    fn answered(
        &mut self,
        now: Instant,
        mut running: Box<Running>,
        transport: Transport,
        answer: Vec<u8>,
        payload: Vec<u8>,
    ) {
        let asked = running.ask_for_proof(&payload);
        running.timers.on_useful(now);
        self.phase = Phase::Running { transport: Box::new(transport), answer, running };
        match asked {
            Ok(asked) => {
                let until = asked.then(|| now + self.deadline);
                self.unproven = Some(Unproven { payload, until });
                self.pump(now);
            }
            Err(error) => self.close(Closed::Peer(error)),
        }
    }

    /// The key that calls, as long as nobody said what to do about it: [`Session::accept`] the
    /// call, or drop the session.
    pub fn caller(&self) -> Option<NoisePublic> {
        match &self.phase {
            Phase::Identifying { peer, .. } => Some(*peer),
            _ => None,
        }
    }

    /// Bytes came from the peer.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        self.deframer.push(bytes);
        self.pump(now);
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.pump(now);
        if self.closed.is_some() {
            return;
        }
        let is_past = |until: Option<Instant>| until.is_some_and(|until| now >= until);
        let (handshake, proof) = (self.phase.handshake_until(), self.proof_until());
        let mut closed = is_past(handshake).then_some(Closed::NoHandshake);
        if let Some(running) = self.phase.running_mut() {
            if running.is_working() {
                running.timers.on_working(now);
            }
            let late = is_past(proof).then_some(Closed::Unproven);
            closed = late.or_else(|| running.timers.expired(now));
        }
        if let Some(closed) = closed {
            self.close(closed);
        }
    }

    /// Appends the next frame to send; false when there is nothing to send now.
    pub fn poll_output(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let error = match &mut self.phase {
            Phase::Calling { first, .. } if !first.is_empty() => {
                frame::put(out, &std::mem::take(first));
                None
            }
            Phase::Running { answer, .. } if !answer.is_empty() => {
                frame::put(out, &std::mem::take(answer));
                None
            }
            Phase::Running { transport, running, .. } => {
                frame::begin(out);
                if !running.compose(now, out, &mut self.events) {
                    out.truncate(start);
                    return false;
                }
                let sealed = transport.seal(out, start + HEADER_LEN);
                frame::finish(out, start);
                sealed.err()
            }
            _ => return false,
        };
        if let Some(error) = error {
            self.close(Closed::Peer(error.into()));
            return false;
        }
        self.traffic.tx += (out.len() - start) as u64;
        self.traffic.last_tx = now;
        true
    }

    /// Lets go of memory that only a busy session needs.
    pub fn rest(&mut self) {
        self.deframer.release();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
    }

    /// The next thing to do.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Call [`Session::handle_timeout`] and [`Session::poll_output`] no later than this.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closed.is_some() {
            return None;
        }
        let own = match self.phase.running() {
            None => self.phase.handshake_until()?,
            Some(running) => {
                let times = [Some(running.timers.next()), running.next_send(), self.proof_until()];
                times.into_iter().flatten().min()?
            }
        };
        // A message that waits for its turn.
        let waiting = !self.deframer.is_hungry(self.phase.frame_limit());
        Some(if waiting { own.min(self.next_message) } else { own })
    }

    /// Whether bytes from the peer are welcome now. When not, leave them where they are.
    pub fn wants_input(&self) -> bool {
        self.closed.is_none()
            && self.events.len() < MAX_EVENTS
            && !matches!(self.phase, Phase::Identifying { .. })
            && self.deframer.is_hungry(self.phase.frame_limit())
    }

    /// Answers [`Event::Offered`], and [`Event::Store`] of a last chunk; also for a packet of an
    /// earlier session that was verified just now.
    pub fn decide(&mut self, hash: &PacketHash, decision: Decision) {
        if let Some(running) = self.phase.running_mut() {
            running.decide(hash, decision);
        }
    }

    /// Answers [`Event::Read`]: the bytes, all of them, or `None` when they can not be had. Then
    /// the packet is not sent on.
    pub fn supply(&mut self, ticket: u64, data: Option<Vec<u8>>) {
        if let Some(running) = self.phase.running_mut() {
            running.supply(ticket, data, &mut self.events);
        }
    }

    /// New packets wait for the peer. Those offered before are not offered again; how much is
    /// new.
    pub fn offer(&mut self, offers: Vec<Offer>) -> Total {
        match self.phase.running_mut() {
            Some(running) => running.offer(offers),
            None => Total::default(),
        }
    }

    /// All packets that were offered to the peer in this session.
    pub fn offered(&self) -> Total {
        match &self.phase {
            Phase::Calling { running, .. } | Phase::Running { running, .. } => running.offered(),
            _ => Total::default(),
        }
    }

    /// Why the session is over, if it is.
    pub fn closed(&self) -> Option<Closed> {
        self.closed
    }

    /// Whether the handshake is done.
    pub fn is_established(&self) -> bool {
        self.phase.running().is_some()
    }

    /// Whether the peer said something after the handshake. Only that proves that it is there: a
    /// first message can be replayed by anybody who recorded it.
    pub fn is_proven(&self) -> bool {
        self.is_established() && self.unproven.is_none()
    }

    /// Whether packets are on their way to the peer.
    pub fn is_sending(&self) -> bool {
        self.phase.running().is_some_and(Running::is_sending)
    }

    /// What is not done (yet).
    pub fn left(&self) -> Left {
        match &self.phase {
            Phase::Running { running, .. } => running.left(),
            Phase::Over { left } => left.clone(),
            _ => Left::default(),
        }
    }

    /// How much went over the stream.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Looks at whatever whole messages there are.
    fn pump(&mut self, now: Instant) {
        while self.closed.is_none()
            && now >= self.next_message
            && !matches!(self.phase, Phase::Identifying { .. })
        {
            match self.step(now) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.close(Closed::Peer(error)),
            }
        }
    }

    /// Takes one message; whether there was one.
    fn step(&mut self, now: Instant) -> Result<bool, PeerError> {
        let limit = self.phase.frame_limit();
        let Some(message) = self.deframer.next(limit)? else { return Ok(false) };
        self.traffic.rx += (HEADER_LEN + message.len().next_multiple_of(4)) as u64;
        self.traffic.last_rx = now;
        if let Phase::Running { transport, running, .. } = &mut self.phase {
            let payload = transport.open(message)?;
            if let Some(Unproven { payload, .. }) = self.unproven.take() {
                running.receive(now, &payload, Stage::Handshake, &mut self.events)?;
            }
            running.receive(now, payload, Stage::Transport, &mut self.events)?;
            if let Some(pause) = options::pause(running.options.rxrate) {
                self.next_message = now + pause;
            }
            return Ok(true);
        }
        let message = message.to_vec();
        self.shake_hands(now, &message)?;
        Ok(true)
    }

    fn shake_hands(&mut self, now: Instant, message: &[u8]) -> Result<(), PeerError> {
        match self.phase.take() {
            Phase::Listening { keys, ephemeral, until } => {
                let (responder, peer, payload) = Responder::start(&keys, ephemeral, message)?;
                let responder = Box::new(responder);
                self.phase = Phase::Identifying { responder, peer, payload, until };
            }
            Phase::Calling { initiator, mut running, .. } => {
                let (payload, transport) = initiator.finish(message)?;
                let transport = Box::new(transport);
                running.greet();
                running.timers.on_useful(now);
                let received = running.receive(now, &payload, Stage::Handshake, &mut self.events);
                self.phase = Phase::Running { transport, answer: Vec::new(), running };
                received?;
            }
            other => self.phase = other,
        }
        Ok(())
    }

    /// If the caller was asked for a proof, when it has to have answered.
    fn proof_until(&self) -> Option<Instant> {
        self.unproven.as_ref().and_then(|unproven| unproven.until)
    }

    fn close(&mut self, reason: Closed) {
        if self.closed.is_none() {
            self.closed = Some(reason);
            let left = self.left();
            self.phase = Phase::Over { left };
        }
    }
}
