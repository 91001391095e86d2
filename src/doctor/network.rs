//! Checks calls, addresses and the rules for multicast discovery.

use super::finding::Finding;
use crate::config::address::Address;
use crate::config::{Call, Neighbour, Node};
use regex_lite::Regex;

pub(super) fn examine(node: &Node) -> Vec<Finding> {
    let mut findings = rules(node);
    for neighbour in node.neighbours.values() {
        findings.extend(key(neighbour));
        for (name, address) in &neighbour.addrs {
            findings.extend(wrong(&format!("neigh.{}.addrs.{name}", neighbour.name), address, ""));
        }
        for (number, called) in neighbour.calls.iter().enumerate() {
            findings.extend(call(node, neighbour, number, called));
        }
    }
    findings
}

/// Checks the rules that select interfaces.
fn rules(node: &Node) -> Vec<Finding> {
    let listen = node.mcd_listen.iter().map(|rule| ("mcd-listen", rule));
    let rules = listen.chain(node.mcd_send.keys().map(|rule| ("mcd-send", rule)));
    let wrong = rules.filter_map(|(key, rule)| {
        let error = Regex::new(rule).err()?;
        let what = format!("{key}: {rule:?} is not a regular expression: {error}");
        let advice =
            "correct it: a rule is matched against names of interfaces, such as eth0 or .*";
        Some(Finding::fault("rule-wrong", what, advice))
    });
    wrong.collect()
}

fn key(neighbour: &Neighbour) -> Option<Finding> {
    let called = !(neighbour.calls.is_empty() && neighbour.addrs.is_empty());
    (neighbour.noisepub.is_none() && called).then(|| {
        Finding::fault(
            "call-without-key",
            format!("neigh.{} has addresses or calls, but no noisepub", neighbour.name),
            "ask the neighbour for its noisepub",
        )
    })
}

fn call(node: &Node, neighbour: &Neighbour, number: usize, call: &Call) -> Option<Finding> {
    let at = format!("neigh.{}.calls[{number}]", neighbour.name);
    let Some(addr) = &call.addr else {
        let heard = !call.mcd_ignore && !node.mcd_listen.is_empty();
        return (neighbour.addrs.is_empty() && !heard).then(|| {
            Finding::fault(
                "call-without-address",
                format!("{at} has no address to try"),
                format!("give the call an addr, or neigh.{} an entry in addrs", neighbour.name),
            )
        });
    };
    // The address of an alias is checked in `addrs`.
    let is_alias = neighbour.addrs.values().any(|known| known == addr);
    let more = format!(", and neigh.{}.addrs has no alias of that name", neighbour.name);
    (!is_alias).then(|| wrong(&format!("{at}.addr"), addr, &more)).flatten()
}

fn wrong(key: &str, address: &str, more: &str) -> Option<Finding> {
    let error = address.parse::<Address>().err()?;
    let advice = "correct it; the alias of an entry in addrs may stand for it in calls";
    Some(Finding::fault("address-wrong", format!("{key}: {error}{more}"), advice))
}
