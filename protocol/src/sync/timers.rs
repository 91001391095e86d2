//! The timers of a running session: when it was last useful, when to send a PING, when to end.

use super::LONGEST;
use super::event::Closed;
use super::options::Options;
use std::time::{Duration, Instant};

/// Time without sending after which this side sends a PING. The reference hangs up after 120 s of
/// silence, and its own PINGs are up to 120 s apart.
const PING_AFTER: Duration = Duration::from_secs(50);
/// Silence of the peer after which this side hangs up.
const SILENCE: Duration = Duration::from_secs(150);

/// While this side verifies packets of the peer, it sends a sign of life this often, or twice
/// within its own `onlinedeadline`: most peers end an idle session after ten seconds.
const NUDGE_AFTER: Duration = Duration::from_secs(3);

/// The times of the last events.
#[derive(Debug)]
pub(super) struct Timers {
    idle: Duration,
    end: Option<Instant>,
    /// Anything received.
    received: Instant,
    sent: Instant,
    /// Any message except PING.
    useful: Instant,
}

impl Timers {
    pub(super) fn new(now: Instant, options: &Options) -> Self {
        let end = options.maxonlinetime.and_then(|most| now.checked_add(most));
        let idle = options.onlinedeadline.min(LONGEST);
        Self { idle, end, received: now, sent: now, useful: now }
    }

    pub(super) fn on_received(&mut self, now: Instant) {
        self.received = now;
    }

    pub(super) fn on_sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// Notes a useful message in either direction. The session ends when both directions are idle,
    /// so the later one counts.
    pub(super) fn on_useful(&mut self, now: Instant) {
        self.useful = now;
    }

    /// Notes that this side is doing work that the peer cannot see: that is neither idleness nor
    /// the peer's silence.
    pub(super) fn on_working(&mut self, now: Instant) {
        self.useful = now;
        self.received = now;
    }

    pub(super) fn ping_due(&self, now: Instant) -> bool {
        now >= self.sent + PING_AFTER
    }

    /// The time of the next sign of life.
    pub(super) fn nudge(&self, options: &Options) -> Instant {
        self.sent + NUDGE_AFTER.min(options.onlinedeadline / 2)
    }

    /// Why the session has to end, if it has.
    pub(super) fn expired(&self, now: Instant) -> Option<Closed> {
        if self.end.is_some_and(|end| now >= end) {
            Some(Closed::TimeUp)
        } else if now >= self.useful + self.idle {
            Some(Closed::Idle)
        } else if now >= self.received + SILENCE {
            Some(Closed::Silent)
        } else {
            None
        }
    }

    /// The time of the next check.
    pub(super) fn next(&self) -> Instant {
        let next =
            (self.useful + self.idle).min(self.received + SILENCE).min(self.sent + PING_AFTER);
        self.end.map_or(next, |end| end.min(next))
    }
}
