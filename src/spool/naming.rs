//! Whole files get their packets' names: all bytes are on disk first, then come all names, then
//! each directory once, then the copies of headers.

use super::{
    Spool, Xx,
    disk::{DiskError, Result},
};
use packmule_protocol::{
    id::{NodeId, PacketHash},
    packet::Header,
};
use std::path::{Path, PathBuf};

/// A packet that has its name, which is not durable before its directory is synced.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) node: NodeId,
    pub(super) xx: Xx,
    pub(super) hash: PacketHash,
    pub(super) dir: PathBuf,
    /// Of which a copy is kept for listings.
    pub(super) header: Option<Header>,
}

impl Spool {
    /// Gives all packets their names, durably. What came of each, in their order; of those that
    /// failed some may have their names, but nothing may be thought of them.
    pub(super) fn name_all<P>(
        &self,
        packets: impl IntoIterator<Item = P>,
        sync: impl Fn(&P) -> Result<()>,
        name: impl Fn(P) -> Result<Named>,
    ) -> Vec<Result<()>> {
        let synced: Vec<_> = packets.into_iter().map(|packet| (sync(&packet), packet)).collect();
        let named: Vec<_> =
            synced.into_iter().map(|(synced, packet)| synced.and_then(|()| name(packet))).collect();
        let failed = self.sync_dirs(&named);
        let settle = |named: Named| match failed.iter().find(|error| error.path == named.dir) {
            Some(error) => Err(error.again()),
            None => {
                self.keep_header(&named);
                Ok(())
            }
        };
        named.into_iter().map(|named| named.and_then(settle)).collect()
    }

    /// Makes one packet's name durable.
    pub(super) fn settle(&self, named: &Named) -> Result<()> {
        self.disk().sync_dir(&named.dir)?;
        self.keep_header(named);
        Ok(())
    }

    /// Syncs each directory once; those that failed.
    fn sync_dirs(&self, named: &[Result<Named>]) -> Vec<DiskError> {
        let mut dirs: Vec<&Path> = named.iter().flatten().map(|named| &*named.dir).collect();
        dirs.sort_unstable();
        dirs.dedup();
        dirs.into_iter().filter_map(|dir| self.disk().sync_dir(dir).err()).collect()
    }

    fn keep_header(&self, Named { node, xx, hash, header, .. }: &Named) {
        if let Some(header) = header {
            self.write_hdr(node, *xx, &hash.to_string(), header);
        }
    }
}
