//! What a transfer did, whatever the medium.

/// What a transfer did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets that are where they were to go, durably, or that were removed.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of the packets that were there already, and good.
    pub there: u64,
    /// Those of the packets that were removed from the spool, or would be: they are on the recording.
    pub removed: u64,
    /// Packets that were left where they are on purpose: too nice, for others, tossed before, or gone
    /// from the spool.
    pub skipped: u64,
    /// Packets and directories that something was wrong with. It was logged.
    pub failed: u64,
    /// Neighbours whose queue another process holds.
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

    /// Whether there was nothing to do, and nothing to skip.
    pub fn is_nothing(&self) -> bool {
        self.packets + self.skipped + self.failed + self.busy == 0
    }

    /// Whether all that was offered was done.
    pub fn is_complete(&self) -> bool {
        self.failed + self.busy == 0
    }
}

/// A transfer that ended before its end.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Broken<E: std::error::Error + 'static> {
    /// What was done by then, and stays done.
    pub done: Report,
    /// Why no more was.
    #[source]
    pub cause: E,
}
