//! The session: a value that takes bytes and the time, and returns bytes, events and its next
//! deadline.
//!
//! ```text
//! call ──► Calling ─second message─────────────────┐
//!                                                  ▼
//! answer ─► Listening ─first message─► Identifying ─accept─► Running ──► (closed)
//! ```
//!
//! A first message can be recorded and replayed by anybody, so it proves nothing. After
//! [`Session::accept`], the session is unproven until a frame arrives that only the owner of the
//! key can have made. Until then, nothing that the first message announced becomes an event. The
//! session requests such a frame (see [`Running::ask_for_proof`]), and a caller sends one at once.
//!
//! A session never opens a packet. It emits [`Event::Read`] and takes the bytes; it emits
//! [`Event::Store`] and takes the result.

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

/// Above this number of pending events, the session wants no more input.
const MAX_EVENTS: usize = 1024;

/// A session, from its first byte to its last.
pub struct Session {
    phase: Phase,
    deframer: Deframer,
    events: VecDeque<Event>,
    closed: Option<Closed>,
    traffic: Traffic,
    /// With a limited `rxrate`: the earliest time at which the next message is processed.
    next_message: Instant,
    /// Time limit for the handshake, and for the answer of an unproven caller.
    deadline: Duration,
    unproven: Option<Unproven>,
}

/// A caller whose first message may be a recording.
struct Unproven {
    /// The payload of the first message.
    payload: Vec<u8>,
    /// The deadline of the caller's answer, if something was requested.
    until: Option<Instant>,
}

impl Session {
    /// Calls `peer` and offers it `offers`. `deadline` is the limit for the handshake; `ephemeral`
    /// becomes the ephemeral key of the handshake.
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

    /// Waits for a call of any key. `deadline` is the limit for the handshake; `ephemeral` becomes
    /// the ephemeral key of the handshake.
    pub fn answer(now: Instant, keys: NoisePrivate, ephemeral: Seed, deadline: Duration) -> Self {
        let deadline = deadline.min(LONGEST);
        let until = now + deadline;
        Self::new(now, deadline, Phase::Listening { keys, ephemeral, until })
    }

    /// For fuzzing: a called session after its handshake, with `payload` in the caller's first
    /// message.
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

    /// Accepts the call of [`Session::caller`] and offers `offers`. The caller's offers become
    /// events once the session [is proven](Self::is_proven).
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

    /// The second message is ready: starts the exchange and requests a proof of the caller.
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

    /// The caller's key, until there is a decision about it: [`Session::accept`] the call, or drop
    /// the session.
    pub fn caller(&self) -> Option<NoisePublic> {
        match &self.phase {
            Phase::Identifying { peer, .. } => Some(*peer),
            _ => None,
        }
    }

    /// Processes bytes of the peer.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        self.deframer.push(bytes);
        self.pump(now);
    }

    /// Processes the passing of time.
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

    /// Appends the next frame; returns false if there is nothing to send now.
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

    /// Frees memory that only a busy session needs.
    pub fn rest(&mut self) {
        self.deframer.release();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The time at which the caller must call [`Session::handle_timeout`] and
    /// [`Session::poll_output`] at the latest.
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
        // There is a complete message that waits for its turn.
        let waiting = !self.deframer.is_hungry(self.phase.frame_limit());
        Some(if waiting { own.min(self.next_message) } else { own })
    }

    /// True if the session can take bytes. If not, the driver should not read from the peer.
    pub fn wants_input(&self) -> bool {
        self.closed.is_none()
            && self.events.len() < MAX_EVENTS
            && !matches!(self.phase, Phase::Identifying { .. })
            && self.deframer.is_hungry(self.phase.frame_limit())
    }

    /// Answers [`Event::Offered`], and [`Event::Store`] of a last chunk. Also for a packet of an
    /// earlier session whose verification has just ended.
    pub fn decide(&mut self, hash: &PacketHash, decision: Decision) {
        if let Some(running) = self.phase.running_mut() {
            running.decide(hash, decision);
        }
    }

    /// Answers [`Event::Read`] with all of the bytes, or with `None` if they cannot be read. Then
    /// the packet is no longer sent.
    pub fn supply(&mut self, ticket: u64, data: Option<Vec<u8>>) {
        if let Some(running) = self.phase.running_mut() {
            running.supply(ticket, data, &mut self.events);
        }
    }

    /// Offers new packets to the peer. Skips those that were offered before, and returns the total
    /// of the others.
    pub fn offer(&mut self, offers: Vec<Offer>) -> Total {
        match self.phase.running_mut() {
            Some(running) => running.offer(offers),
            None => Total::default(),
        }
    }

    /// The total of all packets that were offered to the peer in this session.
    pub fn offered(&self) -> Total {
        match &self.phase {
            Phase::Calling { running, .. } | Phase::Running { running, .. } => running.offered(),
            _ => Total::default(),
        }
    }

    /// Why the session has ended, if it has.
    pub fn closed(&self) -> Option<Closed> {
        self.closed
    }

    /// True if the handshake is done.
    pub fn is_established(&self) -> bool {
        self.phase.running().is_some()
    }

    /// True if a frame of the peer arrived after the handshake. Only that proves that the peer is
    /// alive: a first message can be replayed by anybody who recorded it.
    pub fn is_proven(&self) -> bool {
        self.is_established() && self.unproven.is_none()
    }

    /// True if packets are being sent to the peer.
    pub fn is_sending(&self) -> bool {
        self.phase.running().is_some_and(Running::is_sending)
    }

    /// What is not transferred (yet).
    pub fn left(&self) -> Left {
        match &self.phase {
            Phase::Running { running, .. } => running.left(),
            Phase::Over { left } => left.clone(),
            _ => Left::default(),
        }
    }

    /// The traffic on the stream.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Processes all complete messages.
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

    /// Processes one message; returns false if there is none.
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

    /// The deadline of the caller's proof, if one was requested.
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
