//! Status for programs: one object a line.

use super::gather::{Backup, Partner};
use crate::ledger::{Entry, HandedBy, Place};
use jiff::Timestamp;
use packmule_protocol::statement::Waiting;
use serde_json::{Value, json};

/// What the ledger says of a partner.
pub(super) fn print(partner: &Partner<'_>, now: i64) -> String {
    let mut out = line(&node(partner, now));
    for one in &partner.backups {
        out.push_str(&line(&backup(partner, one, now)));
    }
    for (waits, backup) in &partner.waiting {
        out.push_str(&line(&waiting(partner, waits, backup)));
    }
    out
}

fn node(partner: &Partner<'_>, now: i64) -> Value {
    let heard = partner.heard.as_ref();
    let (packets, bytes) = partner.under_way();
    json!({
        "kind": "node",
        "node": partner.neighbour.name,
        "id": partner.neighbour.id.to_string(),
        "statement": heard.map(|heard| heard.number),
        "made": heard.and_then(|heard| time(heard.made)),
        "learned": heard.and_then(|heard| time(heard.learned)),
        "ledger": heard.map(|heard| heard.ledger.to_string()),
        "claim": heard.and_then(|heard| heard.claim).map(|claim| claim.to_string()),
        "mute": partner.is_mute(now),
        "on_the_way": packets,
        "kept_bytes": bytes,
        "announced": heard.and_then(|heard| heard.lists.sum).map(|sum| sum.packets),
    })
}

fn backup(partner: &Partner<'_>, backup: &Backup, now: i64) -> Value {
    let standing = &backup.standing;
    let proven = standing.proven.as_ref();
    json!({
        "kind": "backup",
        "node": partner.neighbour.name,
        "backup": standing.backup,
        "proven": proven.and_then(|proven| time(proven.data)),
        "age": backup.age(now),
        "limit": backup.limit,
        "old": backup.is_old(now),
        "since": time(standing.since),
        "applied": proven.and_then(|proven| time(proven.applied)),
        "learned": proven.and_then(|proven| time(proven.learned)),
        "statement": proven.map(|proven| proven.statement),
        "packet": proven.map(|proven| proven.packet.to_string()),
        "ahead": standing.ahead.and_then(time),
        "on_the_way": standing.open,
        "kept_bytes": standing.bytes,
        "failed": standing.failed,
        "damaged": standing.damaged,
    })
}

fn waiting(partner: &Partner<'_>, waiting: &Waiting, backup: &str) -> Value {
    json!({
        "kind": "waiting",
        "node": partner.neighbour.name,
        "packet": waiting.packet.to_string(),
        "backup": backup,
        "since": time(waiting.since),
        "reason": waiting.reason,
    })
}

/// A packet that is on its way.
pub(super) fn packet(partner: &Partner<'_>, entry: &Entry, place: Place) -> String {
    let station = |(node, name): &(packmule_protocol::id::NodeId, _)| {
        let got = entry.got.iter().find(|(got, _)| got == node).and_then(|(_, at)| time(*at));
        let name: &packmule_protocol::id::PacketHash = name;
        json!({"id": node.to_string(), "packet": name.to_string(), "got": got})
    };
    let handed = entry.handed.iter().map(|handed| {
        let by = match handed.by {
            HandedBy::Medium => "medium",
            HandedBy::Call => "call",
            HandedBy::Bundle => "bundle",
            HandedBy::Unknown => "unknown",
        };
        json!({"at": time(handed.at), "by": by})
    });
    line(&json!({
        "kind": "packet",
        "node": partner.neighbour.name,
        "packet": entry.id().to_string(),
        "backup": entry.backup,
        "bytes": entry.size,
        "queued": time(entry.queued),
        "data": time(entry.data),
        "place": match place {
            Place::Tx => "tx",
            Place::Held => "kept",
            Place::Gone => "gone",
        },
        "stations": entry.stations.iter().map(station).collect::<Vec<_>>(),
        "handed": handed.collect::<Vec<_>>(),
        "failed": entry.last.as_ref().map(|word| &word.reason),
    }))
}

fn time(seconds: i64) -> Option<String> {
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}

fn line(object: &Value) -> String {
    format!("{object}\n")
}
