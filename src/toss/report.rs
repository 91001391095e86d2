//! What became of many packets.

use super::outcome::Stays;

/// What became of a neighbour's packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets that are done.
    pub done: u64,
    /// Packets left alone.
    pub skipped: u64,
    /// Packets that wait for something.
    pub deferred: u64,
    /// Packets that failed.
    pub failed: u64,
    /// Those of the failed that wait for a person to act on something else than the packet.
    pub blocked: u64,
    /// Packets that were not looked at because an end was asked for.
    pub left: u64,
    /// Another process is tossing; nothing was looked at.
    pub busy: bool,
}

impl Report {
    /// Counts a packet.
    pub(super) fn count(&mut self, outcome: Result<(), Stays>) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(Stays::Skipped) => self.skipped += 1,
            Err(Stays::Deferred) => self.deferred += 1,
            Err(Stays::Blocked) => {
                self.failed += 1;
                self.blocked += 1;
            }
            Err(Stays::Failed) => self.failed += 1,
            Err(Stays::Waiting) => {}
        }
    }

    /// Whether another toss may do more, without a packet that arrives.
    pub fn is_open(&self) -> bool {
        self.deferred > 0 || self.blocked > 0 || self.busy
    }

    /// Adds another neighbour's.
    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.left += other.left;
        self.skipped += other.skipped;
        self.deferred += other.deferred;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.busy |= other.busy;
    }
}
