//! Limits what is logged about rejected connections, since anybody can make many of them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Number of rejections that are logged per minute. Of the others, only the number is logged.
const MOST: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts rejections.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Option<Window>>);

#[derive(Debug)]
struct Window {
    start: Instant,
    refused: u32,
}

/// What to log about a rejection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// The caller and the reason.
    All,
    /// The same, and how many were not logged before it.
    AllAfter(u32),
    /// Nothing.
    Nothing,
}

impl Refusals {
    pub(super) fn count(&self, now: Instant) -> Say {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = window.get_or_insert(Window { start: now, refused: 0 });
        if now >= current.start + WINDOW {
            let untold = current.refused.saturating_sub(MOST);
            *current = Window { start: now, refused: 1 };
            return if untold > 0 { Say::AllAfter(untold) } else { Say::All };
        }
        current.refused = current.refused.saturating_add(1);
        if current.refused <= MOST { Say::All } else { Say::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_as_a_number() {
        let refusals = Refusals::default();
        let start = Instant::now();
        let said = (0..1000).filter(|_| refusals.count(start) == Say::All).count();
        assert_eq!(said, 60);
        assert_eq!(refusals.count(start + WINDOW), Say::AllAfter(940));
        assert_eq!(refusals.count(start + WINDOW), Say::All);
        assert_eq!(refusals.count(start + WINDOW * 3), Say::All);
    }
}
