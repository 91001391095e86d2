//! Remembers packets that this process has verified, so that the next call need not read them
//! again.

use crate::spool::{Spool, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Verified packets of the spool, known to all sessions.
pub(super) struct Verified {
    /// Sessions take turns after each packet, so that the many packets of one neighbour do not
    /// delay the others. One packet at a time is verified, on all cores.
    pub(super) turns: Semaphore,
    /// Packets that this process hashed, with the state of their files. So a large packet is not
    /// read again in each call that is too short for it.
    good: Mutex<HashMap<(NodeId, PacketHash), Stamp>>,
}

/// Limit for the number of remembered packets.
const MOST: usize = 1 << 15;

/// What changes when a file changes: inode, size, and both times.
pub(super) type Stamp = (u64, u64, (i64, i64), (i64, i64));

impl Default for Verified {
    fn default() -> Self {
        Self { turns: Semaphore::new(1), good: Mutex::default() }
    }
}

impl Verified {
    /// Notes that a packet was hashed and matches its name.
    pub(super) fn note(&self, spool: &Spool, node: &NodeId, hash: &PacketHash) {
        if let Some(stamp) = stamp(spool, node, hash) {
            self.note_as(node, hash, stamp);
        }
    }

    pub(super) fn note_as(&self, node: &NodeId, hash: &PacketHash, stamp: Stamp) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= MOST {
            good.clear();
        }
        good.insert((*node, *hash), stamp);
    }

    pub(super) fn knows(&self, node: &NodeId, hash: &PacketHash, stamp: Stamp) -> bool {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.get(&(*node, *hash)) == Some(&stamp)
    }
}

pub(super) fn stamp(spool: &Spool, node: &NodeId, hash: &PacketHash) -> Option<Stamp> {
    let file = std::fs::symlink_metadata(spool.packet(node, Xx::Rx, hash)).ok()?;
    let modified = (file.mtime(), file.mtime_nsec());
    Some((file.ino(), file.len(), modified, (file.ctime(), file.ctime_nsec())))
}
