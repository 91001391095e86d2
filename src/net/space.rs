//! Reserves space in the spool for packets that were requested and have not arrived, over all
//! sessions of the process. Otherwise each of many offers would fit by itself, but not all
//! together.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Total size of what was requested and has not arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct Promised(Arc<AtomicU64>);

/// A session's share of the reservations. Dropping it releases them.
#[derive(Debug)]
pub(super) struct Share {
    promised: Promised,
    own: u64,
}

impl Promised {
    pub(super) fn share(&self) -> Share {
        Share { promised: self.clone(), own: 0 }
    }
}

impl Share {
    /// Reserves `bytes` if they fit into `free` together with all existing reservations.
    pub(super) fn take(&mut self, bytes: u64, free: u64) -> bool {
        let fits = self.promised.0.fetch_update(Relaxed, Relaxed, |promised| {
            promised.checked_add(bytes).filter(|sum| *sum < free)
        });
        if fits.is_ok() {
            self.own += bytes;
        }
        fits.is_ok()
    }

    /// Releases `bytes`, which have arrived or are no longer expected.
    pub(super) fn give(&mut self, bytes: u64) {
        let bytes = bytes.min(self.own);
        self.own -= bytes;
        self.promised.0.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sessions_can_not_promise_the_same_room() {
        let promised = Promised::default();
        let (mut one, mut two) = (promised.share(), promised.share());
        assert!(one.take(60, 100));
        assert!(!two.take(40, 100), "one byte more than both must be free");
        assert!(two.take(39, 100));
        one.give(10);
        assert!(two.take(10, 100));
        drop(one);
        assert!(two.take(50, 100));
        assert!(!two.take(u64::MAX, u64::MAX), "no overflow");
    }
}
