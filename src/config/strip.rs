//! Strips secrets from a configuration. The result is enough for commands that open no packet.

use super::hjson::Tree;
use super::node::{Neighbour, Node};
use crate::log::Target;
use serde_json::{Map, Value, json};

/// The paths of spool and log, and the public keys of all neighbours.
pub(crate) fn strip(node: &Node) -> Tree {
    let log = match &node.log {
        Target::File(path) => path.to_string_lossy().into_owned(),
        Target::Fd(number) => format!("FD:{number}"),
    };
    let neigh: Map<String, Value> =
        node.neighbours.iter().map(|(name, neighbour)| (name.clone(), public(neighbour))).collect();
    Tree::new(json!({
        "spool": node.spool.to_string_lossy(),
        "log": log,
        "self": null,
        "neigh": neigh,
    }))
}

fn public(neighbour: &Neighbour) -> Value {
    let mut keys = json!({
        "id": neighbour.id.to_string(),
        "exchpub": neighbour.exchpub.to_string(),
        "signpub": neighbour.signpub.to_string(),
    });
    if let Some(noisepub) = &neighbour.noisepub {
        keys["noisepub"] = noisepub.to_string().into();
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::super::load::checked;
    use super::super::{fresh, hjson};
    use super::*;

    #[test]
    fn a_stripped_configuration_loads_and_holds_no_secret() {
        let text = fresh::configuration(true).unwrap();
        let node = checked(&hjson::read(text.as_bytes()).unwrap()).unwrap().node;
        let stripped = strip(&node);
        let printed = hjson::print(&stripped);
        assert!(!printed.contains("prv") && !printed.contains("exec"));
        let again = checked(&hjson::read(printed.as_bytes()).unwrap()).unwrap().node;
        assert!(again.keys.is_none());
        assert_eq!(again.self_neighbour().id, node.self_neighbour().id);
        assert_eq!(again.self_neighbour().noisepub, node.self_neighbour().noisepub);
    }
}
