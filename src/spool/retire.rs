//! Removing packets, after their effect is on disk.

use super::{Job, Spool, Xx, disk::Result};
use packmule_protocol::id::{NodeId, PacketHash};

/// Whether a note stays behind that the packet was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Yes: it is not received again.
    Mark,
    /// No.
    Forget,
}

impl Spool {
    /// Removes a packet whose effect is on disk, and the copy of its header. A note that it was
    /// seen is durable before.
    ///
    /// # Errors
    /// Those of the disk. The packet is still there then, and its effect may happen again.
    pub fn retire(&self, job: &Job, seen: Seen) -> Result<()> {
        if seen == Seen::Mark {
            self.mark_seen(&job.node, &job.hash)?;
        }
        self.disk().remove_if_there(job.path())?;
        self.remove_hdr(&job.node, job.xx, job.file_name());
        Ok(())
    }

    /// Removes a packet by its name; whether it was there. For what a peer tells us it has got.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove_packet(&self, node: &NodeId, xx: Xx, hash: &PacketHash) -> Result<bool> {
        let there = self.disk().remove_if_there(&self.packet(node, xx, hash))?;
        self.remove_hdr(node, xx, &hash.to_string());
        Ok(there)
    }
}
