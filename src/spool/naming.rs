//! Whole files get their packets' names: all bytes are on disk first, then come all names, then
//! each directory once, then the copies of headers. A name whose directory could not be synced is
//! taken back: who finds a packet under its name relies on it.

use super::{Spool, Xx};
use crate::disk::DiskError;
use crate::disk::Result;
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
    /// The name it had before and gets again if this one can not be made durable; a packet in the
    /// making has none, and is removed.
    pub(super) before: Option<PathBuf>,
    /// Of which a copy is kept for listings.
    pub(super) header: Option<Header>,
}

impl Spool {
    /// Gives all packets their names, durably. What came of each, in their order.
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
            Some(error) => {
                self.take_back(&named);
                Err(error.again())
            }
            None => {
                self.keep_header(&named);
                Ok(())
            }
        };
        named.into_iter().map(|named| named.and_then(settle)).collect()
    }

    /// Makes one packet's name durable.
    pub(super) fn settle(&self, named: &Named) -> Result<()> {
        self.disk().sync_dir(&named.dir).inspect_err(|_| self.take_back(named))?;
        self.keep_header(named);
        Ok(())
    }

    /// Takes a packet's name away that is not durable. If that fails too, the disk accepts nothing
    /// any more; and the packet may have been tossed meanwhile.
    fn take_back(&self, Named { node, xx, hash, before, .. }: &Named) {
        let path = self.packet(node, *xx, hash);
        let _ = match before {
            Some(before) => self.disk().rename(&path, before),
            None => self.disk().remove(&path),
        };
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
