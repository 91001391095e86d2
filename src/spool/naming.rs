//! Packets' files get their names, and the copies of their headers after that.

use super::{Spool, Xx};
use crate::disk::{Named, Result};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::Header;

/// A packet's header, of which a copy is kept for listings once the packet has its name.
#[derive(Debug)]
pub(super) struct HeaderCopy {
    pub(super) node: NodeId,
    pub(super) xx: Xx,
    pub(super) hash: PacketHash,
    pub(super) header: Option<Header>,
}

impl Spool {
    /// Gives all packets their names, durably. Returns the result of each, in order.
    pub(super) fn name_all<'a, P>(
        &self,
        packets: impl IntoIterator<Item = P>,
        sync: impl Fn(&P) -> Result<()>,
        name: impl Fn(P) -> Result<(Named<'a>, HeaderCopy)>,
    ) -> Vec<Result<()>> {
        let published = self.disk().publish_all(packets, sync, name).into_iter();
        published.map(|published| published.map(|header| self.keep_header(&header))).collect()
    }

    /// Gives one packet, whose bytes are synced already, its name, durably.
    pub(super) fn name_one<'a>(
        &self,
        name: impl FnOnce() -> Result<(Named<'a>, HeaderCopy)>,
    ) -> Result<()> {
        self.keep_header(&self.disk().publish(name)?);
        Ok(())
    }

    fn keep_header(&self, HeaderCopy { node, xx, hash, header }: &HeaderCopy) {
        if let Some(header) = header {
            self.write_hdr(node, *xx, &hash.to_string(), header);
        }
    }
}
