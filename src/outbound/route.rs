//! The route to a node: relays in travel order, and layers that show each relay only the next hop.

use super::error::{QueueError, RouteError};
use crate::blocks::{Layer, Padding};
use crate::config::{Area, Neighbour, Node};
use crate::local::Local;
use crate::log::Log;
use crate::log::event::Sent;
use crate::random;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::seal::{Recipient, Sender};
use packmule_protocol::packet::{PlainHeader, Sealer};

/// The destination of a packet.
#[derive(Debug, Clone, Copy)]
pub enum Destination<'a> {
    /// A neighbour.
    Node(&'a Neighbour),
    /// All members of an area.
    Area(&'a Area),
}

impl<'a> Destination<'a> {
    /// The neighbour whose name the log shows and whose defaults apply; for a post to an area, this
    /// node.
    pub(super) fn neighbour(self, node: &'a Node) -> &'a Neighbour {
        match self {
            Self::Node(neighbour) => neighbour,
            Self::Area(_) => node.self_neighbour(),
        }
    }
}

/// The relays to use.
#[derive(Debug, Clone, Default)]
pub enum Via {
    /// Those in the configuration of the destination.
    #[default]
    Configured,
    /// These, nearest first. An empty list means a direct route.
    These(Vec<NodeId>),
}

/// Hops in travel order. The packet is queued in the first one's `tx/`; the last decrypts the
/// innermost layer.
#[derive(Debug, Clone)]
pub(super) struct Route<'a>(Vec<&'a Neighbour>);

impl<'a> Route<'a> {
    /// The route to `to` through `via`.
    ///
    /// # Errors
    /// [`RouteError::UnknownHop`].
    pub(super) fn to(node: &'a Node, to: &'a Neighbour, via: &Via) -> Result<Self, RouteError> {
        let mut hops = Self::relays(node, to, via)?;
        hops.push(to);
        hops.iter().try_for_each(|hop| hop.check_packet_keys())?;
        Ok(Self(hops))
    }

    /// The route to the last relay before `to`, which then passes on the packet.
    ///
    /// # Errors
    /// [`RouteError::Empty`] if there is no relay.
    pub(super) fn to_last_relay(
        node: &'a Node,
        to: &'a Neighbour,
        via: &Via,
    ) -> Result<Self, RouteError> {
        let hops = Self::relays(node, to, via)?;
        hops.iter().try_for_each(|hop| hop.check_packet_keys())?;
        if hops.is_empty() { Err(RouteError::Empty) } else { Ok(Self(hops)) }
    }

    fn relays(
        node: &'a Node,
        to: &'a Neighbour,
        via: &Via,
    ) -> Result<Vec<&'a Neighbour>, RouteError> {
        let ids = match via {
            Via::Configured => &to.via,
            Via::These(ids) => ids,
        };
        ids.iter().map(|id| node.by_id(id).ok_or(RouteError::UnknownHop(*id))).collect()
    }

    /// The neighbour to which this node sends the packet.
    pub(super) fn first_hop(&self) -> &'a Neighbour {
        self.0[0]
    }

    /// The node that opens the innermost layer.
    pub(super) fn last(&self) -> &'a Neighbour {
        self.0[self.0.len() - 1]
    }

    /// The hops with the names that a packet has at each: `outermost` at the first, then those of the
    /// inner layers, which are given innermost first.
    pub(super) fn stations(
        &self,
        outermost: PacketHash,
        inner: &[PacketHash],
    ) -> Vec<(NodeId, PacketHash)> {
        let names = std::iter::once(outermost).chain(inner.iter().rev().copied());
        self.0.iter().map(|hop| hop.id).zip(names).collect()
    }

    /// Logs each layer as a debug event.
    pub(super) fn log_layers(&self, log: &Log, nice: Niceness, size: u64) {
        let mut hops = self.0.iter().rev();
        if let Some(last) = hops.next() {
            log.debug(|| Sent { to: last.peer(), nice, size, pkt: None }.layer());
        }
        for relay in hops {
            log.debug(|| Sent { to: relay.peer(), nice, size: 0, pkt: None }.trns_layer());
        }
    }

    /// The number of layers.
    pub(super) fn layers(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

impl Local {
    /// One layer per hop of `route`, innermost first. `plain` is for the last hop. Pads so that the
    /// packet on the first link has at least `minimum` bytes.
    pub(super) fn layers(
        &self,
        route: &Route<'_>,
        plain: PlainHeader,
        nice: Niceness,
        minimum: u64,
    ) -> Result<Vec<Layer>, QueueError> {
        let mut layers = Vec::with_capacity(route.0.len());
        let mut next = plain;
        let mut padding = Padding { minimum, layers: route.layers() };
        for hop in route.0.iter().rev() {
            let recipient = Recipient { id: hop.id, key: hop.exchpub };
            let plain = std::mem::replace(&mut next, PlainHeader::trns(&hop.id));
            layers.push(Layer {
                sealer: self.sealer(recipient, nice)?,
                plain,
                padding,
                named: false,
            });
            padding = Padding::default();
        }
        Ok(layers)
    }

    /// Encrypts for a node, signed by this node, with a new ephemeral key.
    pub(super) fn sealer(
        &self,
        recipient: Recipient,
        nice: Niceness,
    ) -> Result<Sealer, QueueError> {
        let keys = self.node.keys.as_ref().ok_or(QueueError::NoPrivateKeys)?;
        let sender = Sender { id: self.node.self_neighbour().id, key: &keys.signing };
        Ok(Sealer::new(sender, recipient, nice, random::seed()?)?)
    }
}
