//! What tests of a node's work begin with: a node in a temporary directory.

use super::Local;
use crate::config::{self, Neighbour, Node};
use crate::log::Log;
use crate::spool::Xx;
use crate::spool::testing::packet_of;
use packmule_protocol::id::{NodeId, PacketHash};
use std::io::Write;
use std::path::PathBuf;

/// A node whose directory vanishes with the test.
pub(crate) struct TestNode {
    dir: tempfile::TempDir,
    pub(crate) local: Local,
}

impl TestNode {
    /// Alice, with an empty spool.
    pub(crate) fn alice() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testvectors/config/alice.hjson");
        Self::of(config::load(path.as_ref(), || unreachable!()).unwrap().node)
    }

    /// That node, with an empty spool.
    pub(crate) fn of(mut node: Node) -> Self {
        let dir = tempfile::tempdir().unwrap();
        node.spool = dir.path().join("spool");
        std::fs::create_dir(&node.spool).unwrap();
        Self { dir, local: Local::new(node, Log::none(), true) }
    }

    /// A path beside the spool.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn own(&self) -> NodeId {
        self.local.node.self_neighbour().id
    }

    pub(crate) fn bob(&self) -> &Neighbour {
        self.local.node.find("bob").unwrap()
    }

    /// Something that the spool takes for a packet of bob to us.
    pub(crate) fn packet_of_bob(&self, payload: &[u8]) -> Vec<u8> {
        packet_of(self.bob().id, self.own(), 5, payload)
    }

    /// The same of us to bob.
    pub(crate) fn packet_for_bob(&self, payload: &[u8]) -> Vec<u8> {
        packet_of(self.own(), self.bob().id, 5, payload)
    }

    /// Queues a packet for bob.
    pub(crate) fn queue(&self, payload: &[u8]) -> PacketHash {
        let mut pending = self.local.spool.pending().unwrap();
        pending.write_all(&self.packet_for_bob(payload)).unwrap();
        pending.commit(&self.bob().id, Xx::Tx, None).unwrap()
    }

    /// Bob's packets, most urgent and oldest first.
    pub(crate) fn held(&self, xx: Xx) -> Vec<PacketHash> {
        self.local.spool.jobs(&self.bob().id, xx).unwrap().iter().map(|job| job.hash).collect()
    }
}
