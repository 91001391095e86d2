//! The fixed keys, as the configuration spells them.

use crate::{json, text};
use packmule_protocol::id::{AreaId, NodeId};
use packmule_protocol::keys::{ExchangePrivate, ExchangePublic, SigningPrivate, SigningPublic};
use serde_json::Value;

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) signing: SigningPrivate,
    pub(crate) exchange: ExchangePrivate,
}

pub(crate) fn node(name: &str) -> Node {
    let entry = &json("keys.json")["nodes"][name];
    Node {
        id: text(entry, "id").parse().unwrap(),
        signing: text(entry, "signprv").parse().unwrap(),
        exchange: text(entry, "exchprv").parse().unwrap(),
    }
}

/// The signing keys of the nodes that all others have in their configuration.
pub(crate) fn known(id: NodeId) -> Option<SigningPublic> {
    ["alice", "bob", "carol", "dave", "erin"]
        .into_iter()
        .map(node)
        .find(|node| node.id == id)
        .map(|node| node.signing.public())
}

pub(crate) fn area() -> (AreaId, ExchangePrivate) {
    let entry = &json("keys.json")["area"];
    (text(entry, "id").parse().unwrap(), text(entry, "prv").parse().unwrap())
}

fn check_node(name: &str, entry: &Value) {
    let node = node(name);
    assert_eq!(node.exchange.public(), text(entry, "exchpub").parse::<ExchangePublic>().unwrap());
    assert_eq!(node.signing.public(), text(entry, "signpub").parse().unwrap());
    assert_eq!(node.signing.public().node_id(), node.id);
    assert_eq!(*node.signing.to_base32(), text(entry, "signprv"));
    assert_eq!(*node.exchange.to_base32(), text(entry, "exchprv"));
}

#[test]
fn public_keys_and_ids_follow_from_private_keys() {
    for (name, entry) in json("keys.json")["nodes"].as_object().unwrap() {
        check_node(name, entry);
    }
    let (id, private) = area();
    assert_eq!(AreaId::of_public_key(&private.public().0), id);
}
