//! A neighbour for tests.

use crate::config::{Acks, Freq, Neighbour};
use packmule_protocol::id::NodeId;
use packmule_protocol::keys::{ExchangePrivate, NoisePrivate, SigningPrivate};

/// A neighbour whose keys grow from `seed`.
pub(super) fn neighbour(name: &str, seed: u8) -> Neighbour {
    let signing = SigningPrivate::from_seed(&[seed; 32]).public();
    Neighbour {
        name: name.into(),
        id: NodeId::of_signing_key(signing.as_bytes()),
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
        packmule: Default::default(),
    }
}
