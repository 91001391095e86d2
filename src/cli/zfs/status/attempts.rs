//! The results of the last toss of packets, from the log.

use crate::cli::session;
use crate::cli::shared::Common;
use crate::local::Local;
use crate::log::Target;
use crate::log::recfile::Reader;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

/// The result of the last attempt to apply a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Toss deferred it, because another toss was applying it.
    Deferred(String),
    /// It failed.
    Failed(String),
}

/// The last attempts of these packets; empty without a log.
pub(super) fn attempts(
    local: &Local,
    common: &Common,
    packets: &[String],
) -> anyhow::Result<BTreeMap<String, Attempt>> {
    let mut found = BTreeMap::new();
    let Target::File(path) = session::log_target(common, &local.node)? else {
        return Ok(found);
    };
    let Ok(file) = File::open(&path) else { return Ok(found) };
    let mut reader = Reader::new(BufReader::new(file));
    while let Some(record) = reader.record()? {
        let Some(packet) = record.last("Pkt").filter(|name| packets.iter().any(|p| p == name))
        else {
            continue;
        };
        let text = |name| record.last(name).map(str::to_owned);
        let attempt = match record.last("Who") {
            Some("rx-handle") => text("Err").map(Attempt::Failed),
            Some("rx-deferred") => text("Reason").map(Attempt::Deferred),
            _ => None,
        };
        if let Some(attempt) = attempt {
            found.insert(packet.to_owned(), attempt);
        }
    }
    Ok(found)
}
