//! Fixtures for tests: a spool in a temporary directory, and packets for it.

use super::{Options, Spool, Xx};
use crate::log::Log;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::{magic, mth};
use std::io::Write;
use std::path::PathBuf;

/// The neighbour of the tests.
pub(crate) const NODE: NodeId = NodeId([1; 32]);

/// A spool that is removed at the end of the test.
pub(crate) struct TestSpool {
    dir: tempfile::TempDir,
    pub(crate) spool: Spool,
}

impl TestSpool {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), options, Log::none());
        Self { dir, spool }
    }

    /// A path directly below the spool.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a packet into the spool.
    pub(crate) fn add(&self, xx: Xx, nice: u8, payload: &[u8]) -> PacketHash {
        let mut pending = self.spool.pending().unwrap();
        pending.write_all(&packet(nice, payload)).unwrap();
        pending.commit(&NODE, xx, None).unwrap()
    }

    /// All files of the spool, relative to it.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut dirs = vec![self.dir.path().to_owned()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    dirs.push(entry.path());
                } else {
                    let path = entry.path();
                    let path = path.strip_prefix(self.dir.path()).unwrap();
                    files.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }
}

/// Bytes that the spool accepts as a packet: it reads only the header.
pub(crate) fn packet(nice: u8, payload: &[u8]) -> Vec<u8> {
    packet_of(NodeId([7; 32]), NodeId([7; 32]), nice, payload)
}

/// The same with a sender and a recipient.
pub(crate) fn packet_of(sender: NodeId, recipient: NodeId, nice: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = magic::ENCRYPTED.to_vec();
    packet.extend([0, 0, 0, nice]);
    packet.extend(sender.0);
    packet.extend(recipient.0);
    packet.extend([7; 96]);
    packet.extend(payload);
    packet
}

/// A packet's name.
pub(crate) fn hash(packet: &[u8]) -> PacketHash {
    PacketHash(mth::hash(packet))
}
