//! Adapts the size of pieces to the speed of the line.
//!
//! The reference allows ten seconds for a frame. On a line of a few kilobytes per second, the
//! largest frames would never arrive in time, so pieces start small and grow with the speed.

use super::outgoing::MAX_CHUNK;
use std::time::{Duration, Instant};

/// Size of the first pieces. They fill the operating system's buffers before the line shows its
/// speed.
const FIRST: usize = 16 << 10;
const SMALLEST: usize = 1 << 10;
/// A piece should not take longer than this.
const MOMENT: Duration = Duration::from_secs(2);
/// Number of pieces over which the speed is measured.
const WINDOW: u32 = 8;

/// The size of pieces, and the current measurement.
#[derive(Debug)]
pub(super) struct Pace {
    size: usize,
    since: Option<Instant>,
    pieces: u32,
}

impl Pace {
    /// For a line of unknown speed. `limited` if the number of pieces per second is limited; then
    /// pieces are large from the start.
    pub(super) fn new(limited: bool) -> Self {
        Self { size: if limited { MAX_CHUNK } else { FIRST }, since: None, pieces: 0 }
    }

    /// Maximum size of the next piece in bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Notes that a piece was written. The next one is written when the line has room again.
    pub(super) fn on_piece(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        self.pieces += 1;
        let took = now.saturating_duration_since(since);
        if self.pieces < WINDOW && took < MOMENT * WINDOW {
            return;
        }
        let each = took / self.pieces;
        if each > MOMENT {
            self.size = (self.size / 2).max(SMALLEST);
        } else if each < MOMENT / 4 {
            self.size = (self.size * 2).min(MAX_CHUNK);
        }
        self.since = Some(now);
        self.pieces = 0;
    }

    /// Notes that there is nothing to send. The following pause says nothing about the line.
    pub(super) fn on_pause(&mut self) {
        self.since = None;
        self.pieces = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of pieces over a line of `speed` bytes per second that buffers 64 KiB.
    fn sizes(speed: u64, pieces: usize) -> Vec<usize> {
        let mut pace = Pace::new(false);
        let mut now = Instant::now();
        let mut buffered = 0;
        (0..pieces)
            .map(|_| {
                pace.on_piece(now);
                buffered += pace.size() as u64;
                if buffered > 64 << 10 {
                    now += Duration::from_micros((buffered - (64 << 10)) * 1_000_000 / speed);
                    buffered = 64 << 10;
                }
                pace.size()
            })
            .collect()
    }

    #[test]
    fn pieces_grow_on_a_fast_line() {
        let sizes = sizes(10_000_000, 60);
        assert_eq!((sizes[0], sizes[59]), (FIRST, MAX_CHUNK));
    }

    #[test]
    fn pieces_stay_small_on_a_slow_line() {
        let sizes = sizes(2_000, 200);
        assert!(sizes.iter().all(|size| *size <= 2 * FIRST), "{sizes:?}");
        assert!(sizes[199] <= 4_000, "two seconds of the line: {}", sizes[199]);
    }

    #[test]
    fn a_limited_rate_has_large_pieces() {
        assert_eq!(Pace::new(true).size(), MAX_CHUNK);
    }
}
