//! The result of sending a dataset to a destination.

use super::super::name::Dataset;
use super::error::SendError;
use std::fmt;

/// The result for one dataset and destination.
#[derive(Debug)]
pub struct Dispatch {
    /// The dataset.
    pub dataset: String,
    /// The destination; empty if the dataset failed before one was chosen.
    pub destination: String,
    /// The queued stream; `None` if there was nothing to send.
    pub result: Result<Option<Sent>, SendError>,
}

impl Dispatch {
    /// A dataset that was not sent.
    pub(super) fn failed(dataset: impl fmt::Display, error: SendError) -> Self {
        Self { dataset: dataset.to_string(), destination: String::new(), result: Err(error) }
    }

    /// A snapshot that was destroyed before it was sent.
    pub(super) fn gone(dataset: &Dataset, destination: &str) -> Self {
        let result = Err(SendError::NoSnapshot(dataset.to_string()));
        Self { destination: destination.to_owned(), dataset: dataset.to_string(), result }
    }
}

/// A stream that was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The snapshot, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    pub to_guid: u64,
    /// The base's guid; 0 for a full stream.
    pub from_guid: u64,
    /// Length of the stream in bytes.
    pub bytes: u64,
}
