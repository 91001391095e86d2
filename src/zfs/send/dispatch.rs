//! What became of a dataset that was to be sent to a destination.

use super::super::name::Dataset;
use super::error::SendError;
use std::fmt;

/// What was done for one dataset and destination.
#[derive(Debug)]
pub struct Dispatch {
    /// The dataset.
    pub dataset: String,
    /// The destination; empty where none was reached.
    pub destination: String,
    /// What became of it; `None` when there was nothing to do.
    pub result: Result<Option<Sent>, SendError>,
}

impl Dispatch {
    /// A dataset that went nowhere.
    pub(super) fn stays(dataset: impl fmt::Display, error: SendError) -> Self {
        Self { dataset: dataset.to_string(), destination: String::new(), result: Err(error) }
    }

    /// A snapshot that is not there any more.
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
    /// Length of the stream.
    pub bytes: u64,
}
