//! The options of a transfer, for all media.

use crate::config::Neighbour;
use packmule_protocol::id::NodeId;
use packmule_protocol::niceness::Niceness;

/// Options of a transfer. By default it copies all packets and removes none.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Skip packets above this niceness.
    pub nice: Niceness,
    /// Remove the original of a packet once its copy is durable.
    pub delete: bool,
    /// Transfer only packets from or to these neighbours. Empty: all neighbours, except that a bundle
    /// is written only for named neighbours.
    pub nodes: &'a [&'a Neighbour],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { nice: Niceness::MAX, delete: false, nodes: &[] }
    }
}

impl Options<'_> {
    /// True if packets from or to the node are to be transferred.
    pub(super) fn wants(&self, node: &NodeId) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|wanted| wanted.id == *node)
    }
}
