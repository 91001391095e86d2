//! Empty files that mark a packet as seen, or as an acknowledgement.

use super::{Spool, Xx};
use crate::disk::{self, Before, Named, Result};
use packmule_protocol::id::{NodeId, PacketHash};
use std::path::Path;

impl Spool {
    /// Marks a packet durably as received and tossed, so that it is not received again.
    ///
    /// # Errors
    /// Those of the disk; then the packet must stay.
    pub(crate) fn mark_seen(&self, node: &NodeId, hash: &PacketHash) -> Result<()> {
        self.mark(&self.seen_dir(node), &hash.to_string())
    }

    /// True if a packet is marked as seen.
    pub(crate) fn is_seen(&self, node: &NodeId, hash: &PacketHash) -> bool {
        self.seen(node, hash).symlink_metadata().is_ok()
    }

    /// Syncs an existing mark: the process that made it may have been killed before its sync.
    ///
    /// # Errors
    /// Those of the disk; then the mark does not count.
    pub(crate) fn settle_seen(&self, node: &NodeId, hash: &PacketHash) -> Result<()> {
        let path = self.seen(node, hash);
        let (file, _) = disk::open_regular_path(&path)?;
        self.disk().sync(&file, &path)?;
        self.disk().sync_dir(&self.seen_dir(node))
    }

    /// Marks a packet in `tx/` as an acknowledgement that packmule generated.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn mark_ack(&self, node: &NodeId, hash: &PacketHash) -> Result<()> {
        self.mark(&self.ack_dir(node), &hash.to_string())
    }

    /// The packets that are marked as acknowledgements.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn acks(&self, node: &NodeId) -> Result<Vec<PacketHash>> {
        let files = disk::files(&self.ack_dir(node))?;
        let name =
            |path: &std::path::PathBuf| PacketHash::from_file_name(path.file_name()?.to_str()?);
        Ok(files.iter().filter_map(name).collect())
    }

    /// Creates an empty file, durable on return. Removes it after an error, even one that existed
    /// before: the next process would rely on a file that is not on disk.
    pub(super) fn mark(&self, dir: &Path, name: &str) -> Result<()> {
        self.ensure_dir(dir)?;
        self.disk().publish(|| {
            let path = dir.join(name);
            let file = self.touch(&path)?;
            Ok((Named::new(path, Before::Nothing).unsynced(file), ()))
        })
    }

    /// True if the spool holds a packet, complete and verified.
    pub(crate) fn holds(&self, node: &NodeId, xx: Xx, hash: &PacketHash) -> bool {
        self.packet(node, xx, hash).symlink_metadata().is_ok_and(|metadata| metadata.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::spool::Options;

    #[test]
    fn marks_stay_and_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), Options::default(), Log::none());
        let (node, hash) = (NodeId([1; 32]), PacketHash([2; 32]));
        assert!(!spool.is_seen(&node, &hash));
        spool.mark_seen(&node, &hash).unwrap();
        spool.mark_seen(&node, &hash).unwrap();
        assert!(spool.is_seen(&node, &hash));
        spool.settle_seen(&node, &hash).unwrap();
        assert!(spool.settle_seen(&node, &PacketHash([3; 32])).is_err());
        spool.mark_ack(&node, &hash).unwrap();
        assert_eq!(spool.acks(&node).unwrap(), [hash]);
    }
}
