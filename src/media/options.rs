//! What a transfer is asked to do, whatever the medium.

use crate::config::Neighbour;
use packmule_protocol::id::NodeId;
use packmule_protocol::niceness::Niceness;

/// What a transfer does. By default it copies everything, and removes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Packets above this niceness stay where they are.
    pub nice: Niceness,
    /// Packets are removed from where they were, once they are durable where they went.
    pub delete: bool,
    /// Only packets from or to these neighbours. None at all means everybody, except that a bundle is
    /// written only for neighbours that are named.
    pub nodes: &'a [&'a Neighbour],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { nice: Niceness::MAX, delete: false, nodes: &[] }
    }
}

impl Options<'_> {
    /// Whether packets from or to a node are asked for.
    pub(super) fn wants(&self, node: &NodeId) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|wanted| wanted.id == *node)
    }
}
