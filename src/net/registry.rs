//! The sessions of a daemon: one per neighbour.
//!
//! A session gets the neighbour's place once it has proven its identity. It takes over the place of
//! an older session, whose line must be dead even if this node has not noticed.

use super::stop::{Stop, Stopper, stop};
use packmule_protocol::id::NodeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long an older session may take to store what it has received.
const FAREWELL: Duration = Duration::from_secs(8);

/// The sessions of a daemon.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry(Arc<Mutex<HashMap<NodeId, Entry>>>);

#[derive(Debug)]
struct Entry {
    stopper: Stopper,
    gone: watch::Receiver<()>,
}

/// The place of a running session. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Seat {
    registry: Registry,
    node: NodeId,
    /// Signals that another session takes over the place.
    pub(super) stop: Stop,
    _here: watch::Sender<()>,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if the neighbour has a session.
    pub(super) fn is_taken(&self, node: &NodeId) -> bool {
        self.lock().contains_key(node)
    }

    /// Takes the neighbour's place and ends an older session that has it. `None` if that does not
    /// end in time, or if another session is faster.
    pub(super) async fn take(&self, node: NodeId) -> Option<Seat> {
        let gone = self.lock().get(&node).map(|entry| {
            entry.stopper.stop();
            entry.gone.clone()
        });
        if let Some(mut gone) = gone {
            // An error means that the seat was dropped, which is what this waits for.
            timeout(FAREWELL, gone.changed()).await.ok();
        }
        self.enter(node)
    }

    fn enter(&self, node: NodeId) -> Option<Seat> {
        let mut entries = self.lock();
        if entries.contains_key(&node) {
            return None;
        }
        let (stopper, stop) = stop();
        let (here, gone) = watch::channel(());
        entries.insert(node, Entry { stopper, gone });
        Some(Seat { registry: self.clone(), node, stop, _here: here })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([1; 32]);

    #[tokio::test]
    async fn a_place_is_taken_once_and_can_be_taken_over() {
        let registry = Registry::default();
        let mut first = registry.enter(NODE).unwrap();
        assert!(registry.enter(NODE).is_none());
        assert!(registry.enter(NodeId([2; 32])).is_some());
        let waiting = tokio::spawn(async move {
            first.stop.stopped().await;
        });
        let second = registry.take(NODE).await;
        assert!(second.is_some() && registry.is_taken(&NODE));
        waiting.await.unwrap();
        drop(second);
        assert!(!registry.is_taken(&NODE) && registry.enter(NODE).is_some());
    }
}
