//! Reports packets in `rx/` that fail at every toss. The log holds the reason.

use super::finding::Finding;
use super::patient::Patient;
use crate::log::recfile::Reader;
use crate::log::{Target, sentence};
use crate::spool::Xx;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A packet in `rx/`, and its last failure.
struct Untossed<'a> {
    from: &'a str,
    failure: Option<String>,
}

pub(super) fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let Target::File(log) = &patient.loaded.node.log else { return Vec::new() };
    let mut waiting = waiting(patient);
    if !waiting.is_empty() {
        learn(log, &mut waiting);
    }
    // Group packets by reason: one finding for each.
    let mut reasons: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for (packet, Untossed { from, failure }) in waiting {
        if let Some(failure) = failure {
            reasons.entry((from, failure)).or_default().push(packet);
        }
    }
    reasons.into_iter().map(|((from, why), packets)| finding(from, &why, &packets)).collect()
}

/// The packets in all `rx/`, by name.
fn waiting<'a>(patient: &Patient<'a>) -> BTreeMap<String, Untossed<'a>> {
    let neighbours = patient.loaded.node.neighbours.values();
    let jobs = neighbours.flat_map(|neighbour| {
        let listing = patient.spool.listing(&neighbour.id, Xx::Rx).ok();
        let jobs = listing.map(|listing| listing.jobs).unwrap_or_default();
        jobs.into_iter()
            .map(|job| (job.hash.to_string(), Untossed { from: &neighbour.name, failure: None }))
    });
    jobs.collect()
}

/// Reads the last failures of these packets from the log, up to the first damaged record.
fn learn(log: &Path, waiting: &mut BTreeMap<String, Untossed<'_>>) {
    let Ok(file) = File::open(log) else { return };
    let mut reader = Reader::new(BufReader::new(file));
    while let Ok(Some(record)) = reader.record() {
        let is_toss = record.last("Who").is_some_and(|who| who.starts_with("rx"));
        let packet = record.last("Pkt").and_then(|packet| waiting.get_mut(packet));
        if let Some(packet) = packet.filter(|_| is_toss) {
            // A record without an error, such as a deferral, replaces an older failure.
            packet.failure = record.last("Err").map(|error| {
                let said = record.last("Output").map(sentence::last_lines).unwrap_or_default();
                format!("{error}{said}")
            });
        }
    }
}

fn finding(from: &str, why: &str, packets: &[String]) -> Finding {
    let first = &packets[0];
    let what = match packets.len() {
        1 => format!("packet {first} of {from} fails at every toss: {why}"),
        n => format!("{n} packets of {from} fail at every toss, the first is {first}: {why}"),
    };
    let advice = format!(
        "remove the cause, and the next toss processes them; or remove a packet: \
         echo {first} | packmule rm -node {from} -pkt"
    );
    Finding::fault("packet-failing", what, advice)
}
