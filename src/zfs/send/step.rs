//! One step of a chain: a snapshot that is to be sent.

use super::super::name::Dataset;
use super::super::pool::{Snapshot, State};

/// A snapshot that is to be sent, and its dataset as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) state: &'a State,
    pub(super) snapshot: &'a Snapshot,
}
