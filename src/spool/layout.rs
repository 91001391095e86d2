//! The paths in the spool. No other module builds a path inside it.

use super::Spool;
use crate::disk::is_file_name;
pub(crate) use crate::log::event::Xx;
use packmule_protocol::id::{AreaId, AreaMessageId, NodeId, PacketHash};
use std::path::{Path, PathBuf};

/// The suffix of an unfinished packet in `rx/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// `.part`: a partly received packet.
    Part,
    /// `.nock`: an unverified packet.
    Nock,
}

impl Suffix {
    /// The suffix, its dot included.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Part => ".part",
            Self::Nock => ".nock",
        }
    }
}

/// The work that a lock guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockKind {
    /// Tossing received packets.
    Toss,
    /// Receiving online.
    Rx,
    /// Sending, online or to a medium.
    Tx,
}

impl Spool {
    /// The spool directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.0.root
    }

    /// The directory of temporary files.
    pub(crate) fn tmp_dir(&self) -> PathBuf {
        self.root().join("tmp")
    }

    /// The ledger: `src/ledger` builds the paths in it. Other programs skip it.
    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.root().join(".packmule")
    }

    /// The directory of one neighbour.
    pub(crate) fn node_dir(&self, node: &NodeId) -> PathBuf {
        self.root().join(node.to_string())
    }

    /// The directory of a neighbour's packets in one direction.
    pub(crate) fn dir(&self, node: &NodeId, xx: Xx) -> PathBuf {
        self.node_dir(node).join(xx.to_string())
    }

    /// The path of a packet.
    pub(crate) fn packet(&self, node: &NodeId, xx: Xx, hash: &PacketHash) -> PathBuf {
        self.dir(node, xx).join(hash.to_string())
    }

    /// The path of a partly received or unverified packet.
    pub(crate) fn unfinished(&self, node: &NodeId, hash: &PacketHash, suffix: Suffix) -> PathBuf {
        self.dir(node, Xx::Rx).join(format!("{hash}{}", suffix.text()))
    }

    pub(super) fn hdr_dir(&self, node: &NodeId, xx: Xx) -> PathBuf {
        self.dir(node, xx).join("hdr")
    }

    pub(super) fn hdr(&self, node: &NodeId, xx: Xx, name: &str) -> PathBuf {
        self.hdr_dir(node, xx).join(name)
    }

    pub(super) fn seen_dir(&self, node: &NodeId) -> PathBuf {
        self.dir(node, Xx::Rx).join("seen")
    }

    pub(super) fn seen(&self, node: &NodeId, hash: &PacketHash) -> PathBuf {
        self.seen_dir(node).join(hash.to_string())
    }

    pub(super) fn ack_dir(&self, node: &NodeId) -> PathBuf {
        self.dir(node, Xx::Tx).join("ack")
    }

    pub(super) fn areas_dir(&self, node: &NodeId) -> PathBuf {
        self.node_dir(node).join("area")
    }

    pub(super) fn area_dir(&self, node: &NodeId, area: &AreaId) -> PathBuf {
        self.areas_dir(node).join(area.to_string())
    }

    /// Intents to queue a copy for a subscriber. The reference does not read this directory.
    pub(super) fn area_intents_dir(&self, node: &NodeId, area: &AreaId) -> PathBuf {
        self.area_dir(node, area).join("queuing")
    }

    pub(super) fn area_mark(
        &self,
        node: &NodeId,
        area: &AreaId,
        message: &AreaMessageId,
    ) -> PathBuf {
        self.area_dir(node, area).join(message.to_string())
    }

    /// The path of a neighbour's lock.
    pub(crate) fn lock_path(&self, node: &NodeId, kind: LockKind) -> PathBuf {
        self.node_dir(node).join(match kind {
            LockKind::Toss => "toss.lock",
            LockKind::Rx => "rx.lock",
            LockKind::Tx => "tx.lock",
        })
    }

    /// The path of the link named like the neighbour, for people. `None` if no file can have that name.
    pub(super) fn link(&self, name: &str) -> Option<PathBuf> {
        is_file_name(name).then(|| self.root().join(name))
    }
}
