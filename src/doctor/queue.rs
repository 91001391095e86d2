//! Checks the queues: files that are not packets, and old partly received packets.

use super::finding::{Finding, count};
use super::patient::Patient;
use crate::config::Neighbour;
use crate::spool::{NoPacket, Suffix, Xx};
use jiff::{SignedDuration, Timestamp};

/// A peer that is still in use has called within this time.
const PATIENCE: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let neighbours = patient.loaded.node.neighbours.values();
    neighbours.flat_map(|neighbour| queue(patient, neighbour)).collect()
}

fn queue(patient: &Patient<'_>, neighbour: &Neighbour) -> Vec<Finding> {
    let mut findings = Vec::new();
    for xx in [Xx::Rx, Xx::Tx] {
        match patient.spool.listing(&neighbour.id, xx) {
            Ok(listing) => findings.extend(listing.bad.iter().map(bad)),
            Err(error) => findings.push(Finding::fault(
                "queue-unreadable",
                error.to_string(),
                "run packmule as the owner of the spool, or chown it",
            )),
        }
    }
    findings.extend(old_parts(patient, neighbour));
    findings
}

fn bad(bad: &NoPacket) -> Finding {
    let path = bad.path.display();
    if bad.unread {
        // The file may be a good packet and the only copy, so do not advise to remove it.
        let what = format!("cannot read {path}: {}", bad.why);
        let advice =
            "run packmule as its owner, or chown or chmod it; if its disk fails, save it first";
        return Finding::fault("packet-unreadable", what, advice);
    }
    let what = format!("{path} has the name of a packet, but is not a packet: {}", bad.why);
    let advice = format!("every command skips it; inspect it, then rm {path}");
    Finding::fault("packet-bad", what, advice)
}

/// Reports partly received packets that are old.
fn old_parts(patient: &Patient<'_>, neighbour: &Neighbour) -> Option<Finding> {
    let spool = patient.spool;
    let old = |hash| {
        let path = spool.unfinished(&neighbour.id, hash, Suffix::Part);
        let modified = path.symlink_metadata().and_then(|meta| meta.modified()).ok()?;
        let age = patient.now.duration_since(Timestamp::try_from(modified).ok()?);
        (age > PATIENCE).then_some(path)
    };
    let parts = spool.parts(&neighbour.id).ok()?;
    let paths: Vec<_> = parts.iter().filter_map(|(hash, _)| old(hash)).collect();
    let first = paths.first()?;
    let (number, name) = (count(paths.len(), "part"), &neighbour.name);
    let what = format!("{number} of packets from {name} older than a month: {}", first.display());
    let advice = format!("call {name}, or packmule rm -node {name} -part -older 30d");
    Some(Finding::warning("part-old", what, advice))
}
