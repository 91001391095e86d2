//! Checks settings that cannot work, or are probably mistakes.

use super::finding::Finding;
use crate::config::hjson::Note;
use crate::config::{Neighbour, Node, Warning};

/// Converts the warnings of loading the configuration to findings.
pub(super) fn warnings(warnings: &[Warning]) -> Vec<Finding> {
    let finding = |warning: &Warning| {
        let what = warning.to_string();
        match warning {
            Warning::UnknownKey(_) => Finding::warning(
                "key-unknown",
                what,
                "correct its spelling, or remove it; nncp.hjson(5) lists the keys",
            ),
            Warning::Note(Note::Twice { .. }) => {
                Finding::fault("key-twice", what, "merge both into one section")
            }
            Warning::Note(Note::Swallowed { .. }) => Finding::fault(
                "value-too-long",
                what,
                "quote the value, and put the comment on a line of its own",
            ),
            Warning::BadKey(_) => {
                Finding::fault("key-unusable", what, "ask the neighbour for all its keys again")
            }
            Warning::Twins(_, other) => {
                Finding::warning("section-twice", what, format!("remove {other}"))
            }
            Warning::NodeId { .. } => Finding::fault(
                "id-of-another-key",
                what,
                "ask the neighbour for id and signpub again: one of them was copied wrong",
            ),
            Warning::AreaId { .. } => Finding::fault(
                "id-of-another-key",
                what,
                "ask the creator of the area for id and pub again: one of them was copied wrong",
            ),
            Warning::Halves(_) => Finding::fault(
                "keys-differ",
                what,
                "restore both from a backup: without a pair, packmule can neither open nor sign packets",
            ),
            Warning::TwoSelves(_) => {
                Finding::fault("keys-differ", what, "copy the one under self to neigh.self")
            }
        }
    };
    warnings.iter().map(finding).collect()
}

/// Checks routes through relays.
pub(super) fn routes(node: &Node) -> Vec<Finding> {
    node.neighbours.values().flat_map(|neighbour| route(node, neighbour)).collect()
}

fn route(node: &Node, neighbour: &Neighbour) -> Vec<Finding> {
    let name = &neighbour.name;
    let mut findings = Vec::new();
    let own = node.self_neighbour().id;
    let mut hops = neighbour.via.clone();
    hops.push(neighbour.id);
    if hops.contains(&own) && neighbour.id != own {
        findings.push(Finding::fault(
            "via-self",
            format!("neigh.{name}.via leads through this node"),
            "leave self out: list only the relays between us",
        ));
    }
    if hops.iter().enumerate().any(|(n, hop)| hops[..n].contains(hop)) {
        findings.push(Finding::fault(
            "via-loop",
            format!("neigh.{name}.via passes a node twice"),
            "list every relay once, the one nearest to us first, without the node itself",
        ));
    }
    let first = neighbour.via.first().and_then(|first| node.by_id(first));
    if let Some(first) = first.filter(|first| !first.via.is_empty()) {
        findings.push(Finding::fault(
            "via-unreachable",
            format!("neigh.{name}.via begins with {}, which is itself behind relays", first.name),
            format!("put the relays of neigh.{}.via in front", first.name),
        ));
    }
    findings
}
