//! The state of one dataset: its properties, snapshots and bookmarks.

use crate::chain;
use std::collections::BTreeMap;

/// Marks an empty dataset that packmule made because a child arrived before its parent.
pub(crate) const PLACEHOLDER: &str = "packmule:placeholder";
/// Set on a received snapshot: sender, length of the stream, and time of the receive.
pub(crate) const APPLIED: &str = "packmule:applied";

/// The state of one dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The dataset is a volume.
    pub volume: bool,
    /// `readonly` is on.
    pub readonly: bool,
    /// packmule made the dataset for its children, and has received nothing into it yet.
    pub placeholder: bool,
    /// Bytes written since the newest snapshot; `None` if `zfs` does not report it.
    pub written: Option<u64>,
    /// A receive was interrupted and left partial state.
    pub partial: bool,
    /// Snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// Bookmarks, oldest first.
    pub bookmarks: Vec<Snapshot>,
    /// The additional properties. User properties may be inherited.
    pub properties: BTreeMap<String, String>,
}

/// A snapshot, or a bookmark of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The name after `@` or `#`.
    pub name: String,
    /// Identifies the snapshot on every machine that it was sent to.
    pub guid: u64,
    /// Transaction group of its creation; orders the snapshots of this pool.
    pub createtxg: u64,
    /// Seconds since 1970, by the clock of the machine that made it.
    pub creation: u64,
    /// The additional properties that are set on the snapshot itself.
    pub properties: BTreeMap<String, String>,
}

impl State {
    /// The newest snapshot.
    pub fn newest(&self) -> Option<&Snapshot> {
        self.snapshots.last()
    }

    /// The snapshot of this guid.
    pub fn snapshot(&self, guid: u64) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.guid == guid)
    }

    /// The newest snapshot that was received, and not made here.
    pub fn newest_received(&self) -> Option<&Snapshot> {
        self.snapshots.iter().rev().find(|snapshot| snapshot.properties.contains_key(APPLIED))
    }
}

impl chain::Held for State {
    fn state(&self, guid: u64) -> Option<chain::State> {
        self.snapshot(guid).map(as_state)
    }

    fn newest(&self) -> Option<chain::State> {
        self.newest().map(as_state)
    }

    fn newest_received(&self) -> Option<chain::State> {
        self.newest_received().map(as_state)
    }
}

fn as_state(snapshot: &Snapshot) -> chain::State {
    let Snapshot { guid, createtxg, creation, .. } = *snapshot;
    chain::State { guid, order: createtxg, creation }
}
