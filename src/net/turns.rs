//! Allows one toss per neighbour at a time, over all sessions of the process.

use packmule_protocol::id::NodeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The turns for tossing. They are needed because a finished session may still toss when the next
/// session with the neighbour begins.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<NodeId, Turn>>);

/// Held while a toss runs.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

impl Turns {
    pub(super) fn of(&self, node: NodeId) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(node).or_default())
    }
}
