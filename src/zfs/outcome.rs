//! What becomes of a stream that waits at a receiver.

use super::reason::{Refusal, Wait};

/// What became of a waiting stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Applied, and seen in the pool afterwards.
    Done(Vec<Applied>),
    /// It is there already, or will never be needed.
    Duplicate(&'static str),
    /// Not yet.
    Defer(Wait),
    /// Never.
    Reject(Refusal),
}

impl Outcome {
    /// Whether nothing becomes of the stream before a person acts.
    pub fn is_stuck(&self) -> bool {
        match self {
            Self::Done(_) | Self::Duplicate(_) => false,
            Self::Defer(wait) => wait.needs_person(),
            Self::Reject(_) => true,
        }
    }
}

/// A stream that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The dataset it went into.
    pub target: String,
    /// The snapshot it made, without the dataset's name.
    pub snapshot: String,
    /// Name of the snapshot on the sending side.
    pub to_name: String,
    /// The snapshot it made.
    pub to_guid: u64,
    /// The snapshot it needed; 0 for none.
    pub from_guid: u64,
    /// Length of the stream.
    pub bytes: u64,
    /// How long it took.
    pub seconds: u64,
    /// Whether the pool would not keep the record of it.
    pub unrecorded: bool,
}
