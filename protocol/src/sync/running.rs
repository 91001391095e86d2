//! A session after its handshake. Both sides are equal now: each offers, asks, sends and confirms.

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

/// Where a payload came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// With a handshake message. The first one can be replayed by anybody who recorded it, so it
    /// may announce packets and do nothing else.
    Handshake,
    /// In a transport message: from the peer, now.
    Transport,
}

/// What both sides of an established session keep in mind.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) options: Options,
    pub(super) timers: Timers,
    offers: Offers,
    outgoing: Outgoing,
    downloads: Downloads,
    dones: VecDeque<PacketHash>,
    pace: Pace,
    /// With a limited `txrate`, when the next FILE may go.
    next_file: Instant,
    /// Told about once, however often it happens.
    odd: u32,
    /// A caller speaks at once, if only to show that it is there.
    greets: bool,
    /// When the end of a packet was last asked for only to be heard.
    probed: Instant,
}

/// A confirmation, or the request for the bytes, waits so long for the answer to a
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

    /// Announces the packets among these that were not announced yet; how much that is.
    pub(super) fn offer(&mut self, offers: Vec<Offer>) -> Total {
        if !self.options.flow.sends() {
            return Total::default();
        }
        let limit = self.options.limit;
        self.offers.add(offers.into_iter().filter(|offer| offer.nice <= limit))
    }

    /// All that was announced.
    pub(super) fn offered(&self) -> Total {
        self.offers.total()
    }

    /// The payload of a handshake message: the first announcements, and HALTs (which mean nothing
    /// here) up to a length that tells nothing.
    pub(super) fn first_payload(&mut self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(MAX_PAYLOAD);
        self.offers.announce(&mut payload, MAX_PAYLOAD);
        while payload.len() < MAX_PAYLOAD {
            Message::Halt.encode(&mut payload);
        }
        payload
    }

    /// Looks for the first packet that the first message offers, and asks for what lies behind its
    /// last byte. The answer is an empty FILE, which only the owner of the key can give; every
    /// implementation gives it, and it needs nothing of our disk. Whether there was such an offer.
    ///
    /// # Errors
    /// When the payload is no row of messages.
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

    /// Says something at once, so that the peer knows that we are there. Who only looks need not
    /// be known: the peer would end another session for it.
    pub(super) fn greet(&mut self) {
        self.greets = self.options.flow != Flow::List;
    }

    /// Acts on a payload of the peer.
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
        // Who asks for the end alone has all bytes already, or wants to know whether we are there.
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
        // Only what we offered in this session: nothing else is the peer's to remove.
        if !self.offers.deliver(hash) {
            return self.notice(Oddity::StrayDone, *hash, events);
        }
        self.outgoing.forget(hash);
        events.push_back(Event::Delivered(*hash));
        true
    }

    /// Tells of an oddity, once of each kind. An oddity is nothing of substance.
    fn notice(&mut self, oddity: Oddity, hash: PacketHash, events: &mut VecDeque<Event>) -> bool {
        let bit = 1 << (oddity as u32);
        if self.odd & bit == 0 {
            self.odd |= bit;
            events.push_back(Event::Odd(oddity, hash));
        }
        false
    }

    /// What is to become of an offered packet.
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

    /// Appends the next payload, if there is something to say now: replies and announcements
    /// first, then "still here", then a piece of a packet.
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

    /// Confirmations, requests, announcements: as many as one payload holds.
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

    /// Whether our own side has work to do that the peer can not see.
    pub(super) fn is_working(&self) -> bool {
        self.downloads.is_owed() || self.outgoing.is_reading()
    }

    /// Whether the peer is to be shown that we work on its packets.
    fn nudge_due(&self, now: Instant) -> bool {
        self.downloads.may_nudge() && now >= self.timers.nudge(&self.options)
    }

    /// When there will be something to say.
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
