//! The outcome of a stream that waits at a receiver.

use super::reason::{Refusal, Wait};

/// The outcome of a waiting stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Applied, and then found in the pool.
    Done(Vec<Applied>),
    /// The target has it, or will never need it. The text says which.
    Duplicate(&'static str),
    /// The stream waits, and may be applied later.
    Defer(Wait),
    /// The stream can never be applied.
    Reject(Refusal),
}

impl Outcome {
    /// True if only a person can make this stream applicable.
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
    /// The dataset that received it.
    pub target: String,
    /// The snapshot it made, without the dataset's name.
    pub snapshot: String,
    /// Name of the snapshot on the sending side.
    pub to_name: String,
    /// Guid of the snapshot it made.
    pub to_guid: u64,
    /// Guid of the snapshot it needed; 0 for a full stream.
    pub from_guid: u64,
    /// Length of the stream in bytes.
    pub bytes: u64,
    /// Duration of the receive.
    pub seconds: u64,
    /// The pool could not store the record of it (the user property `packmule:applied`).
    pub unrecorded: bool,
}
