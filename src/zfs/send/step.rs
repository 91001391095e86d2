//! One step of a chain: a snapshot to send.

use super::super::name::Dataset;
use super::super::state::{Snapshot, State};

/// A snapshot to send, and the current state of its dataset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) state: &'a State,
    pub(super) snapshot: &'a Snapshot,
}
