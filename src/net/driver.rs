//! Runs an established session over its stream: passes bytes and the time to the session, and disk
//! work to blocking threads.

use super::checker::Verdict;
use super::inbound::{self, Inbound};
use super::link::Link;
use super::outbound::{self, Outbound};
use super::stop::Stop;
use super::worker::Worker;
use crate::display::reason;
use packmule_protocol::id::PacketHash;
use packmule_protocol::sync::{Closed, Event, Left, Session};
use std::time::{Duration, Instant};
use std::{fmt, io};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// Bytes per read: at first, and if there is much to read.
const READ_SMALL: usize = 16 << 10;
const READ_LARGE: usize = 512 << 10;
/// Limit for prepared frames, in bytes.
const WRITE: usize = 512 << 10;
/// Limit for received bytes that are not on disk yet. Above it, the driver stops reading.
const BACKLOG: usize = 4 << 20;
/// Interval for listing the queue for the peer.
const SCAN: Duration = Duration::from_secs(1);
/// After this time without input, the session gives up its large buffers.
const REST: Duration = Duration::from_secs(1);

/// How a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// By the protocol's rules: normally, or because the peer violated them.
    Closed(Closed),
    /// The peer hung up, which is a normal end.
    HungUp,
    /// The peer stopped reading.
    Stalled,
    /// The stream failed.
    Broken(io::Error),
    /// This process was asked to stop.
    Stopped,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(closed) => closed.fmt(f),
            Self::HungUp => f.write_str("peer hung up"),
            Self::Stalled => f.write_str("peer takes nothing of what we send"),
            Self::Broken(error) => f.write_str(&reason(error)),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// The result of a session.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) left: Left,
    /// Number of packets that this side could not store, read or remove.
    pub(super) failed: usize,
}

impl Outcome {
    /// True if the session did everything that it had to do.
    pub(super) fn is_good(&self) -> bool {
        let well = match &self.end {
            End::Closed(Closed::Idle | Closed::TimeUp) | End::HungUp => true,
            End::Closed(_) | End::Stalled | End::Broken(_) | End::Stopped => false,
        };
        well && self.failed == 0 && self.left == Left::default()
    }
}

/// A session and its stream.
pub(super) struct Driver<'a> {
    pub(super) session: &'a mut Session,
    pub(super) link: &'a mut Link,
    pub(super) inbound: Worker<Inbound>,
    pub(super) outbound: Worker<Outbound>,
    /// Packets that were verified in the background.
    pub(super) judged: mpsc::UnboundedReceiver<(PacketHash, Verdict)>,
    /// Time limit for the peer to read a frame.
    pub(super) deadline: Duration,
    pub(super) stop: Stop,
    /// Offer new packets that are queued during the session.
    pub(super) scans: bool,
}

/// The buffers between the stream and the session.
struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// When the stream last provided bytes.
    heard: Instant,
    /// When the stream last accepted bytes; while there are bytes to write.
    progress: Instant,
    /// Number of bytes passed to the disk and not stored yet.
    backlog: usize,
}

impl Driver<'_> {
    /// Runs the session to its end, and then completes its disk work.
    pub(super) async fn run(mut self) -> Outcome {
        let mut buffers = Buffers {
            input: vec![0; READ_SMALL],
            output: Vec::new(),
            written: 0,
            heard: Instant::now(),
            progress: Instant::now(),
            backlog: 0,
        };
        let mut failed = 0;
        let end = self.exchange(&mut buffers, &mut failed).await;
        self.settle(&mut failed).await;
        Outcome { end, left: self.session.left(), failed }
    }

    async fn exchange(&mut self, buffers: &mut Buffers, failed: &mut usize) -> End {
        let mut next_scan = Instant::now();
        let mut checking = true;
        self.inbound.push(inbound::Task::Begin);
        loop {
            let now = Instant::now();
            self.session.handle_timeout(now);
            if self.scans && now >= next_scan {
                self.outbound.push(outbound::Task::Scan);
                next_scan = now + SCAN;
            }
            buffers.backlog += self.route();
            self.inbound.start();
            self.outbound.start();
            if let Some(closed) = self.session.closed() {
                return End::Closed(closed);
            }
            buffers.fill(self.session, now);
            buffers.rest(self.session, now);
            let wake = self.wake(buffers, next_scan);
            if buffers.is_writing() && now >= buffers.progress + self.deadline {
                return End::Stalled;
            }
            let reads = self.session.wants_input() && buffers.backlog < BACKLOG;
            tokio::select! {
                read = self.link.reader.read(&mut buffers.input), if reads => match read {
                    Ok(0) => return End::HungUp,
                    Ok(len) => {
                        self.session.handle_input(Instant::now(), &buffers.input[..len]);
                        buffers.adapt(len);
                    }
                    Err(error) => return End::Broken(error),
                },
                wrote = self.link.writer.write(&buffers.output[buffers.written..]),
                    if buffers.is_writing() => match wrote {
                    Ok(0) => return End::Broken(io::ErrorKind::WriteZero.into()),
                    Ok(len) => buffers.wrote(len),
                    Err(error) => return End::Broken(error),
                },
                results = self.inbound.results(), if self.inbound.is_running() => {
                    buffers.backlog -= results.bytes;
                    *failed += self.on_inbound(results);
                }
                results = self.outbound.results(), if self.outbound.is_running() => {
                    *failed += self.on_outbound(results);
                }
                judged = self.judged.recv(), if checking => match judged {
                    Some((hash, verdict)) => self.inbound.push(inbound::Task::Judged(hash, verdict)),
                    None => checking = false,
                },
                () = sleep_until(wake.into()) => {}
                () = self.stop.stopped() => return End::Stopped,
            }
        }
    }

    /// The next time at which a timer expires.
    fn wake(&self, buffers: &Buffers, next_scan: Instant) -> Instant {
        let mut wake = Instant::now() + Duration::from_secs(60);
        if let Some(session) = self.session.poll_timeout() {
            // While frames wait for the stream, the session needs no timer for sending.
            let busy = buffers.is_writing();
            let floor = Instant::now() + Duration::from_millis(if busy { 100 } else { 1 });
            wake = wake.min(session.max(floor));
        }
        if self.scans {
            wake = wake.min(next_scan);
        }
        if buffers.is_large() {
            wake = wake.min(buffers.heard + REST);
        }
        if buffers.is_writing() {
            wake = wake.min(buffers.progress + self.deadline);
        }
        wake
    }

    /// Dispatches the session's events. Returns the number of bytes to be written to disk.
    fn route(&mut self) -> usize {
        let mut bytes = 0;
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Offered(offer) => self.inbound.push(inbound::Task::Offered(offer)),
                Event::Listed(offer) => self.inbound.push(inbound::Task::Listed(offer)),
                Event::Announced(total) => self.inbound.push(inbound::Task::Announced(total)),
                Event::Store(store) => {
                    bytes += store.data.len();
                    self.inbound.push(inbound::Task::Store(store));
                }
                Event::Odd(oddity, hash) => self.inbound.push(inbound::Task::Odd(oddity, hash)),
                Event::Read(read) => self.outbound.push(outbound::Task::Read(read)),
                Event::Delivered(hash) => self.outbound.push(outbound::Task::Delivered(hash)),
                Event::Sent(hash) => self.outbound.push(outbound::Task::Sent(hash)),
                // `Event` is non-exhaustive; only events that need no action may be added to it.
                _ => {}
            }
        }
        bytes
    }

    fn on_inbound(&mut self, results: inbound::Results) -> usize {
        for (hash, decision) in results.decisions {
            self.session.decide(&hash, decision);
        }
        results.failed
    }

    fn on_outbound(&mut self, results: outbound::Results) -> usize {
        for (ticket, data) in results.supplies {
            self.session.supply(ticket, data);
        }
        if let Some(offers) = results.offers {
            let total = self.session.offer(offers);
            if total.packets > 0 {
                self.outbound.push(outbound::Task::Announced(total));
            }
        }
        results.failed
    }

    /// Completes the work that was begun: stores received bytes, processes confirmations.
    async fn settle(&mut self, failed: &mut usize) {
        // The checker counts later verdicts itself.
        self.judged.close();
        loop {
            self.route();
            while let Ok((hash, verdict)) = self.judged.try_recv() {
                self.inbound.push(inbound::Task::Judged(hash, verdict));
            }
            self.inbound.start();
            self.outbound.start();
            if self.inbound.is_running() {
                let results = self.inbound.results().await;
                *failed += self.on_inbound(results);
            } else if self.outbound.is_running() {
                let results = self.outbound.results().await;
                *failed += self.on_outbound(results);
            } else {
                return;
            }
        }
    }
}

impl Buffers {
    fn is_writing(&self) -> bool {
        self.written < self.output.len()
    }

    /// Prepares frames when the previous ones are sent.
    fn fill(&mut self, session: &mut Session, now: Instant) {
        if self.is_writing() {
            return;
        }
        self.output.clear();
        self.written = 0;
        self.progress = now;
        while self.output.len() < WRITE && session.poll_output(now, &mut self.output) {}
        if self.output.is_empty() && !session.is_sending() {
            self.output = Vec::new();
        }
    }

    fn wrote(&mut self, len: usize) {
        self.written += len;
        self.progress = Instant::now();
    }

    /// Adapts the input buffer to the amount of data that arrives at a time.
    fn adapt(&mut self, len: usize) {
        self.heard = Instant::now();
        if len == self.input.len() && !self.is_large() {
            self.input.resize(READ_LARGE, 0);
        }
    }

    fn is_large(&self) -> bool {
        self.input.len() > READ_SMALL
    }

    /// Frees the large buffers of an idle session.
    fn rest(&mut self, session: &mut Session, now: Instant) {
        if self.is_large() && now >= self.heard + REST {
            self.input = vec![0; READ_SMALL];
            session.rest();
        }
    }
}
