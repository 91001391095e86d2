//! A session after its handshake. Both sides are equal: each offers, requests, sends and confirms.

use super::MAX_PAYLOAD;
use super::downloads::{Chunk, Downloads};
use super::event::{Decision, Event, Left, Oddity, PeerError, Store};
use super::message::{DONE_LEN, File, Freq, Info, Message};
use super::offers::{Offer, Offers, Reached, Total};
use super::options::{self, Flow, Options};
use super::outgoing::Outgoing;
use super::pace::Pace;
use super::timers::Timers;
use crate::id::PacketHash;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The origin of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A handshake message. The first one can be replayed by anybody who recorded it, so it may
    /// announce packets and has no other effect.
    Handshake,
    /// A transport message, which the peer sent in this session.
    Transport,
}

/// The state of an established session.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) options: Options,
    pub(super) timers: Timers,
    offers: Offers,
    outgoing: Outgoing,
    downloads: Downloads,
    dones: VecDeque<PacketHash>,
    pace: Pace,
    /// With a limited `txrate`: the earliest time of the next FILE.
    next_file: Instant,
    /// Bit set of the oddities that were reported.
    odd: u32,
    /// A caller sends something at once, if only to prove that it is alive.
    greets: bool,
    /// Time of the last request that serves only as a sign of life.
    probed: Instant,
}

/// How long a confirmation, or the request for the bytes, waits for the answer to a
/// [probe](Downloads::is_probed) of its packet.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);

impl Running {
    pub(super) fn new(now: Instant, options: Options, offers: Vec<Offer>) -> Self {
        let pace = Pace::new(options.txrate > 0);
        let mut running = Self {
            timers: Timers::new(now, &options),
            options,
            offers: Offers::default(),
            outgoing: Outgoing::default(),
            downloads: Downloads::default(),
            dones: VecDeque::new(),
            pace,
            next_file: now,
            odd: 0,
            greets: false,
            probed: now,
        };
        running.offer(offers);
        running
    }

    /// Announces those packets that were not announced yet. Returns their total.
    pub(super) fn offer(&mut self, offers: Vec<Offer>) -> Total {
        if !self.options.flow.sends() {
            return Total::default();
        }
        let limit = self.options.limit;
        self.offers.add(offers.into_iter().filter(|offer| offer.nice <= limit))
    }

    /// The total of all announced packets.
    pub(super) fn offered(&self) -> Total {
        self.offers.total()
    }

    /// The payload of a handshake message: the first announcements, padded with HALTs (which have
    /// no effect here) so that its length reveals nothing.
    pub(super) fn first_payload(&mut self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(MAX_PAYLOAD);
        self.offers.announce(&mut payload, MAX_PAYLOAD);
        while payload.len() < MAX_PAYLOAD {
            Message::Halt.encode(&mut payload);
        }
        payload
    }

    /// Requests what follows the last byte of the first packet that the first message offers. The
    /// answer is an empty FILE. Only the owner of the key can send it, every implementation does,
    /// and it needs nothing of this side's disk. Returns false if there was no such offer.
    ///
    /// # Errors
    /// If the payload is not a sequence of messages.
    pub(super) fn ask_for_proof(&mut self, mut payload: &[u8]) -> Result<bool, PeerError> {
        let limit = self.options.limit.get();
        let mut asked = false;
        while let Some(message) = Message::take(&mut payload)? {
            if let Message::Info(info) = message
                && !asked
                && self.options.flow.receives()
                && info.nice <= limit
            {
                asked = self.downloads.probe(&info);
            }
        }
        Ok(asked)
    }

    /// Sends something at once, as a sign of life. Not if this side only lists: the peer would end
    /// another session for it.
    pub(super) fn greet(&mut self) {
        self.greets = self.options.flow != Flow::List;
    }

    /// Processes a payload of the peer.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        mut payload: &[u8],
        stage: Stage,
        events: &mut VecDeque<Event>,
    ) -> Result<(), PeerError> {
        self.timers.on_received(now);
        let mut announced = false;
        while let Some(message) = Message::take(&mut payload)? {
            let useful = match message {
                Message::Info(info) => {
                    announced = true;
                    self.on_info(&info, events)
                }
                Message::Halt if stage == Stage::Transport => {
                    self.outgoing.clear();
                    false
                }
                Message::Halt | Message::Ping => false,
                _ if stage == Stage::Handshake => false,
                Message::Freq(freq) => self.on_freq(&freq, events),
                Message::File(file) => self.on_file(&file, events)?,
                Message::Done(done) => self.on_done(&done.hash, events),
            };
            if useful {
                self.timers.on_useful(now);
            }
        }
        if announced {
            events.push_back(Event::Announced(self.downloads.announced()));
        }
        self.read_ahead(events);
        Ok(())
    }

    fn on_info(&mut self, info: &Info, events: &mut VecDeque<Event>) -> bool {
        let list = self.options.flow == Flow::List;
        if self.options.flow == Flow::Send || (!list && info.nice > self.options.limit.get()) {
            return false;
        }
        let named = self.options.only.as_ref().is_none_or(|only| only.contains(&info.hash));
        let wanted = named && !list;
        match self.downloads.announce(info) {
            Ok(offer) if wanted => events.push_back(Event::Offered(offer)),
            Ok(offer) => {
                self.downloads.skip(&info.hash);
                events.push_back(Event::Listed(offer));
            }
            Err(oddity) => {
                if wanted && oddity != Oddity::Repeated {
                    self.downloads.refuse(info.size);
                }
                return self.notice(oddity, info.hash, events);
            }
        }
        true
    }

    fn on_freq(&mut self, freq: &Freq, events: &mut VecDeque<Event>) -> bool {
        let Some((nice, size)) = self.offers.find(&freq.hash) else { return false };
        if freq.offset > size {
            return self.notice(Oddity::BeyondEnd, freq.hash, events);
        }
        // A request for the end alone comes from a peer that has all bytes or wants a sign of life.
        if freq.offset < size {
            self.offers.reach(&freq.hash, Reached::Requested);
        }
        self.outgoing.want(freq.hash, nice, size, freq.offset);
        true
    }

    fn on_file(
        &mut self,
        file: &File<'_>,
        events: &mut VecDeque<Event>,
    ) -> Result<bool, PeerError> {
        let &File { hash, offset, data } = file;
        match self.downloads.file(&hash, offset, data.len())? {
            Chunk::Store { last } => {
                events.push_back(Event::Store(Store { hash, offset, data: data.to_vec(), last }));
                Ok(true)
            }
            Chunk::Ignore => Ok(false),
            Chunk::Odd(oddity) => Ok(self.notice(oddity, hash, events)),
        }
    }

    fn on_done(&mut self, hash: &PacketHash, events: &mut VecDeque<Event>) -> bool {
        // Only packets offered in this session: the peer must not be able to remove others.
        if !self.offers.deliver(hash) {
            return self.notice(Oddity::StrayDone, *hash, events);
        }
        self.outgoing.forget(hash);
        events.push_back(Event::Delivered(*hash));
        true
    }

    /// Reports a protocol deviation that does no harm. Each kind is reported once per session.
    fn notice(&mut self, oddity: Oddity, hash: PacketHash, events: &mut VecDeque<Event>) -> bool {
        let bit = 1 << (oddity as u32);
        if self.odd & bit == 0 {
            self.odd |= bit;
            events.push_back(Event::Odd(oddity, hash));
        }
        false
    }

    /// Applies the decision about an offered packet.
    pub(super) fn decide(&mut self, hash: &PacketHash, decision: Decision) {
        match decision {
            Decision::Fetch { offset } => self.downloads.fetch(hash, offset),
            Decision::Have => {
                self.downloads.confirm(hash);
                self.dones.push_back(*hash);
            }
            Decision::Skip => self.downloads.skip(hash),
        }
    }

    pub(super) fn supply(
        &mut self,
        ticket: u64,
        data: Option<Vec<u8>>,
        events: &mut VecDeque<Event>,
    ) -> Option<PacketHash> {
        let dropped = self.outgoing.supply(ticket, data);
        self.read_ahead(events);
        dropped
    }

    fn read_ahead(&mut self, events: &mut VecDeque<Event>) {
        while let Some(read) = self.outgoing.next_read() {
            events.push_back(Event::Read(read));
        }
    }

    /// Appends the next payload, if there is something to send: first replies and announcements,
    /// then a PING, then a piece of a packet.
    pub(super) fn compose(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        events: &mut VecDeque<Event>,
    ) -> bool {
        let start = out.len();
        self.control(now, out);
        if out.len() > start {
            self.timers.on_useful(now);
        } else if self.greets || self.timers.ping_due(now) {
            Message::Ping.encode(out);
        } else if self.nudge_due(now) && self.downloads.nudge(out) {
            self.probed = now;
            self.timers.on_useful(now);
        } else if self.outgoing.is_ready() && now >= self.next_file {
            if let Some(sent) = self.outgoing.send(out, self.pace.size()) {
                self.offers.reach(&sent, Reached::Sent);
                events.push_back(Event::Sent(sent));
            }
            if let Some(pause) = options::pause(self.options.txrate) {
                self.next_file = now + pause;
            }
            self.pace.on_piece(now);
            if self.outgoing.is_empty() {
                self.pace.on_pause();
            }
            self.timers.on_useful(now);
            self.read_ahead(events);
        } else {
            return false;
        }
        self.timers.on_sent(now);
        self.greets = false;
        true
    }

    /// Appends confirmations, requests and announcements, as many as fit into one payload.
    fn control(&mut self, now: Instant, out: &mut Vec<u8>) {
        let end = out.len() + MAX_PAYLOAD;
        let patient = now < self.probed + PROBE_PATIENCE;
        for _ in 0..self.dones.len().min(MAX_PAYLOAD / DONE_LEN) {
            let Some(hash) = self.dones.pop_front() else { break };
            if patient && self.downloads.is_probed(&hash) {
                self.dones.push_back(hash);
                continue;
            }
            Message::Done(super::message::Done { hash }).encode(out);
        }
        let room = end - out.len();
        self.downloads.ask(out, room, patient);
        let room = end - out.len();
        self.offers.announce(out, room);
    }

    /// True if this side is doing work that the peer cannot see.
    pub(super) fn is_working(&self) -> bool {
        self.downloads.is_owed() || self.outgoing.is_reading()
    }

    /// True if it is time to show the peer that this side works on its packets.
    fn nudge_due(&self, now: Instant) -> bool {
        self.downloads.may_nudge() && now >= self.timers.nudge(&self.options)
    }

    /// The time of the next message.
    pub(super) fn next_send(&self) -> Option<Instant> {
        let file = self.outgoing.is_ready().then_some(self.next_file);
        let nudge = self.downloads.may_nudge().then(|| self.timers.nudge(&self.options));
        let held = !self.dones.is_empty() || self.downloads.is_held();
        let held = held.then_some(self.probed + PROBE_PATIENCE);
        file.into_iter().chain(nudge).chain(held).min()
    }

    pub(super) fn left(&self) -> Left {
        Left { to_send: self.offers.unconfirmed(), to_receive: self.downloads.unfinished() }
    }

    pub(super) fn is_sending(&self) -> bool {
        !self.outgoing.is_empty()
    }
}
