//! Neighbours and nodes for tests.

use super::node::{Acks, Freq, Neighbour, Node, Notify};
use crate::log::Target;
use packmule_protocol::keys::{ExchangePrivate, NoisePrivate, SigningPrivate};

/// A neighbour whose keys are derived from `seed`.
pub(crate) fn neighbour(name: &str, seed: u8) -> Neighbour {
    let signing = SigningPrivate::from_seed(&[seed; 32]).public();
    Neighbour {
        name: name.into(),
        id: signing.node_id(),
        exchpub: ExchangePrivate::from_bytes([seed; 32]).public(),
        signpub: signing,
        noisepub: Some(NoisePrivate::from_bytes([seed; 32]).public()),
        incoming: None,
        exec: Default::default(),
        freq: Freq::default(),
        ack: Acks::default(),
        via: Vec::new(),
        addrs: Default::default(),
        rxrate: 0,
        txrate: 0,
        onlinedeadline: None,
        maxonlinetime: None,
        calls: Vec::new(),
        proof: Default::default(),
        packmule: Default::default(),
    }
}

/// A node without keys that has these neighbours.
pub(crate) fn node(neighbours: impl IntoIterator<Item = Neighbour>) -> Node {
    Node {
        spool: "/nonexistent".into(),
        log: Target::File("/nonexistent/log".into()),
        umask: None,
        noprogress: true,
        nohdr: false,
        mcd_listen: Vec::new(),
        mcd_send: Default::default(),
        notify: Notify::default(),
        keys: None,
        neighbours: neighbours.into_iter().map(|one| (one.name.clone(), one)).collect(),
        aliases: Default::default(),
        areas: Default::default(),
        area_aliases: Default::default(),
        packmule: Default::default(),
    }
}
