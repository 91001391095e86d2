//! Counts the outcomes of packets.

use super::outcome::Stays;

/// The outcomes of a neighbour's packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets that are done.
    pub done: u64,
    /// Packets that were skipped.
    pub skipped: u64,
    /// Packets that wait for something.
    pub deferred: u64,
    /// Packets that failed.
    pub failed: u64,
    /// Those of the failed packets that wait for a person to act elsewhere.
    pub blocked: u64,
    /// Packets that were not processed because the toss was stopped.
    pub left: u64,
    /// Another process is tossing, so no packet was processed.
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

    /// True if another toss may process more packets, even if none arrives.
    pub fn is_open(&self) -> bool {
        self.deferred > 0 || self.blocked > 0 || self.busy
    }

    /// Adds the report of another neighbour.
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
