//! The clocks of a running session: when it was last useful, when to say "still here", when to
//! end.

use super::LONGEST;
use super::event::Closed;
use super::options::Options;
use std::time::{Duration, Instant};

/// A PING goes out when we have said nothing for so long. The reference hangs up after 120 s of
/// silence, and its own PINGs are up to 120 s apart.
const PING_AFTER: Duration = Duration::from_secs(50);
/// We hang up when the peer said nothing at all for so long.
const SILENCE: Duration = Duration::from_secs(150);

/// While we verify packets of the peer it hears of us this often, or twice within our own
/// `onlinedeadline`: most peers end an idle session after ten seconds.
const NUDGE_AFTER: Duration = Duration::from_secs(3);

/// When what happened last.
#[derive(Debug)]
pub(super) struct Timers {
    idle: Duration,
    end: Option<Instant>,
    /// Anything at all.
    received: Instant,
    sent: Instant,
    /// Anything but PING.
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

    /// A message of substance went either way. The session ends when both directions are idle,
    /// which is when the later of the two is.
    pub(super) fn on_useful(&mut self, now: Instant) {
        self.useful = now;
    }

    /// Our side still works on something the peer can not see: that is neither idleness nor the
    /// peer's silence.
    pub(super) fn on_working(&mut self, now: Instant) {
        self.useful = now;
        self.received = now;
    }

    pub(super) fn ping_due(&self, now: Instant) -> bool {
        now >= self.sent + PING_AFTER
    }

    /// When to show that we are at work.
    pub(super) fn nudge(&self, options: &Options) -> Instant {
        self.sent + NUDGE_AFTER.min(options.onlinedeadline / 2)
    }

    /// Why the session is to end, if it is.
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

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        let next =
            (self.useful + self.idle).min(self.received + SILENCE).min(self.sent + PING_AFTER);
        self.end.map_or(next, |end| end.min(next))
    }
}
