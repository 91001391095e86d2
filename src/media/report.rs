//! The report of a transfer, for all media.

/// Counts of a transfer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets that are durable at their destination, or were removed.
    pub packets: u64,
    /// The sum of their sizes.
    pub bytes: u64,
    /// Packets among these that the destination already had, verified.
    pub there: u64,
    /// Packets among these that were removed from the spool, or would be, since the recording has them.
    pub removed: u64,
    /// Packets skipped on purpose: above the niceness limit, for others, marked as seen, or already
    /// gone from the spool.
    pub skipped: u64,
    /// Packets and directories that failed. The log has the reasons.
    pub failed: u64,
    /// Neighbours whose lock another process holds.
    pub busy: u64,
}

impl Report {
    /// Adds another report.
    pub fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.there += other.there;
        self.removed += other.removed;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.busy += other.busy;
    }

    /// True if there was nothing to transfer and nothing to skip.
    pub fn is_nothing(&self) -> bool {
        self.packets + self.skipped + self.failed + self.busy == 0
    }

    /// True if nothing failed and no queue was locked.
    pub fn is_complete(&self) -> bool {
        self.failed + self.busy == 0
    }
}

/// A transfer that ended early.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Broken<E: std::error::Error + 'static> {
    /// The completed part, which stays valid.
    pub done: Report,
    /// The error that ended it.
    #[source]
    pub cause: E,
}
