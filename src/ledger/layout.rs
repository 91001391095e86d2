//! Where things are in `SPOOL/.packmule`. No other module builds a path inside it.
//!
//! ```text
//! ledger               who we are, and the last number used     busy   its lock
//! out/DEST/PKT         a followed packet, by its name at its destination    out/DEST/busy
//! new/DEST/PKT         the same, while it is being queued
//! names/PKT            the packet's name at a relay: which file of out/ it is
//! held/HOP/PKT         the bytes of a packet that was handed over
//! backups/DEST/NAME    the packets of a backup in the order they were queued, and what is proven
//! from/NODE/have       what the partner's statements said
//! to/NODE              our last statement for the partner
//! in/NODE/journal/N    receipts for the partner from number N on             in/NODE/busy
//! in/NODE/done/N       names of packets that are done, sorted
//! ```
//!
//! No file is called `*.lock`: `nncp-rm -lock` removes those wherever they are.

use crate::spool::Spool;
use packmule_protocol::id::{NodeId, PacketHash};
use std::path::PathBuf;

/// The paths of one ledger.
#[derive(Debug, Clone)]
pub(super) struct Layout(PathBuf);

impl Layout {
    pub(super) fn new(spool: &Spool) -> Self {
        Self(spool.ledger_dir())
    }

    /// Whether there is a ledger at all.
    pub(super) fn exists(&self) -> bool {
        self.0.is_dir()
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// Held while our own identity or number changes.
    pub(super) fn identity_busy(&self) -> PathBuf {
        self.0.join("busy")
    }

    pub(super) fn out_dir(&self, to: &NodeId) -> PathBuf {
        self.0.join("out").join(to.to_string())
    }

    pub(super) fn entry(&self, to: &NodeId, packet: &PacketHash) -> PathBuf {
        self.out_dir(to).join(packet.to_string())
    }

    /// Held while packets to a node are queued, settled or dropped.
    pub(super) fn out_busy(&self, to: &NodeId) -> PathBuf {
        self.out_dir(to).join("busy")
    }

    pub(super) fn new_dir(&self, to: &NodeId) -> PathBuf {
        self.0.join("new").join(to.to_string())
    }

    pub(super) fn new_entry(&self, to: &NodeId, packet: &PacketHash) -> PathBuf {
        self.new_dir(to).join(packet.to_string())
    }

    pub(super) fn name(&self, packet: &PacketHash) -> PathBuf {
        self.0.join("names").join(packet.to_string())
    }

    pub(super) fn held_dir(&self, hop: &NodeId) -> PathBuf {
        self.0.join("held").join(hop.to_string())
    }

    pub(super) fn held(&self, hop: &NodeId, packet: &PacketHash) -> PathBuf {
        self.held_dir(hop).join(packet.to_string())
    }

    pub(super) fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }

    pub(super) fn backups_dir(&self, to: &NodeId) -> PathBuf {
        self.backups().join(to.to_string())
    }

    /// `file` is a digest of the backup's name: the name may be anything.
    pub(super) fn backup(&self, to: &NodeId, file: &str) -> PathBuf {
        self.backups_dir(to).join(file)
    }

    pub(super) fn from(&self) -> PathBuf {
        self.0.join("from")
    }

    pub(super) fn have(&self, node: &NodeId) -> PathBuf {
        self.from().join(node.to_string()).join("have")
    }

    /// What we said to the node last.
    pub(super) fn spoken(&self, node: &NodeId) -> PathBuf {
        self.0.join("to").join(node.to_string())
    }

    /// Held while a statement of the node is accepted.
    pub(super) fn accept_busy(&self, node: &NodeId) -> PathBuf {
        self.from().join(node.to_string()).join("busy")
    }

    fn in_dir(&self, node: &NodeId) -> PathBuf {
        self.0.join("in").join(node.to_string())
    }

    /// Held while receipts are written, merged or dropped.
    pub(super) fn in_busy(&self, node: &NodeId) -> PathBuf {
        self.in_dir(node).join("busy")
    }

    pub(super) fn journal_dir(&self, node: &NodeId) -> PathBuf {
        self.in_dir(node).join("journal")
    }

    /// The receipts from number `first` on.
    pub(super) fn segment(&self, node: &NodeId, first: u64) -> PathBuf {
        self.journal_dir(node).join(numbered(first))
    }

    pub(super) fn done_dir(&self, node: &NodeId) -> PathBuf {
        self.in_dir(node).join("done")
    }

    pub(super) fn done(&self, node: &NodeId, number: u64) -> PathBuf {
        self.done_dir(node).join(numbered(number))
    }
}

/// Digits that sort as the number does.
fn numbered(number: u64) -> String {
    format!("{number:020}")
}

/// The number in such a name.
pub(super) fn number(name: &str) -> Option<u64> {
    let number = name.parse().ok()?;
    (numbered(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_names() {
        assert!(numbered(9) < numbered(10) && numbered(10) < numbered(u64::MAX));
        for wanted in [0, 1, 4096, u64::MAX] {
            assert_eq!(number(&numbered(wanted)), Some(wanted));
        }
        for other in ["", "1", "+0000000000000000001", "99999999999999999999", "busy"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
