//! Status for people.

use super::gather::{Backup, Partner};
use crate::age;
use crate::display::{Size, escape};
use crate::ledger::{Entry, Place};
use jiff::Timestamp;
use std::fmt::Write;

/// What the ledger says of a partner.
pub(super) fn print(partner: &Partner<'_>, now: i64) -> String {
    let mut out = format!("{}: {}\n", escape(&partner.neighbour.name), head(partner, now));
    for backup in &partner.backups {
        let _ = writeln!(out, "  {}", line(partner, backup, now));
    }
    let (packets, bytes) = partner.under_way();
    if packets > 0 {
        let _ = writeln!(
            out,
            "  {} on the way, {} kept until they are proven",
            count(packets),
            Size(bytes)
        );
    }
    if let Some(sum) = partner.heard.as_ref().and_then(|heard| heard.lists.sum) {
        let _ = writeln!(
            out,
            "  it says {} are on the way here since {}",
            count(sum.packets),
            time(sum.oldest)
        );
    }
    for (waiting, backup) in &partner.waiting {
        let (reason, since) = (escape(&waiting.reason), time(waiting.since));
        let backup =
            if backup.is_empty() { String::new() } else { format!(" of {}", escape(backup)) };
        let _ = writeln!(out, "  waits there since {since}: {}{backup}: {reason}", waiting.packet);
    }
    let old: Vec<_> = partner.backups.iter().filter(|backup| backup.is_old(now)).collect();
    if !old.is_empty() {
        let _ = writeln!(
            out,
            "  too old: {}",
            old.iter().map(|backup| too_old(backup, now)).collect::<Vec<_>>().join(", ")
        );
    }
    out
}

fn head(partner: &Partner<'_>, now: i64) -> String {
    let Some(heard) = &partner.heard else {
        let hint = if partner.is_mute(now) { ": does it run packmule?" } else { " so far" };
        return format!("it never sent a statement{hint}");
    };
    if let Some(claim) = heard.claim {
        return format!(
            "two nodes claim to be it, the ledgers {} and {claim}: nothing is believed until packmule \
             status -accept {} LEDGER says which is right",
            heard.ledger,
            escape(&partner.neighbour.name)
        );
    }
    let read = match age::seconds(now, heard.learned) {
        Some(age) => format!("read {} ago", long(age)),
        None => "read in the future, says the clock of this machine".to_owned(),
    };
    format!("statement of {}, {read}", time(heard.made))
}

fn line(partner: &Partner<'_>, backup: &Backup, now: i64) -> String {
    let standing = &backup.standing;
    let mut line = format!("{:16} {:10}", escape(&standing.backup), state(backup, now));
    let mut add = |count: u64, what: &str| {
        if count > 0 {
            let _ = write!(line, "{}{count} {what}", if line.ends_with(' ') { " " } else { ", " });
        }
    };
    add(standing.open, "on the way");
    add(standing.failed, "failed there");
    let waits = partner.waiting.iter().filter(|(_, of)| *of == standing.backup).count();
    add(waits as u64, "waits there");
    if standing.ahead.is_some() {
        line.push_str(", newer data are there but older ones are missing");
    }
    line.trim_end().to_owned()
}

fn state(backup: &Backup, now: i64) -> String {
    let never = if backup.standing.proven.is_some() { "" } else { "never, " };
    match (backup.standing.damaged, backup.age(now)) {
        (true, _) => "unknown: its file in the ledger is damaged".to_owned(),
        (false, None) => "unknown: a time is in the future".to_owned(),
        (false, Some(age)) => format!("{never}{}", long(age)),
    }
}

fn too_old(backup: &Backup, now: i64) -> String {
    let limit = backup.limit.map(long).unwrap_or_default();
    format!("{} ({}, limit {limit})", escape(&backup.standing.backup), state(backup, now))
}

/// A packet that is on its way.
pub(super) fn packet(_: &Partner<'_>, entry: &Entry, place: Place) -> String {
    let place = match place {
        Place::Tx => "waits to leave",
        Place::Held => "kept",
        Place::Gone => "not kept: another program sent it",
    };
    let mut out = format!("  {} {}, queued {}", entry.id(), Size(entry.size), time(entry.queued));
    if !entry.backup.is_empty() {
        let _ = write!(out, ", of {}", escape(&entry.backup));
    }
    let _ = write!(out, ": {place}");
    if let Some(handed) = entry.last_handed() {
        let _ = write!(
            out,
            ", left {} {}",
            entry.handed.len(),
            if entry.handed.len() == 1 { "time" } else { "times" }
        );
        let _ = write!(out, ", last {}", time(handed.at));
    }
    if let Some(word) = &entry.last {
        let _ = write!(out, ", {}", escape(&word.reason));
    }
    out + "\n"
}

fn count(packets: u64) -> String {
    format!("{packets} packet{}", if packets == 1 { "" } else { "s" })
}

/// A time by the clock of whoever wrote it down.
fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds);
    time.map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

/// `2d05h`, or `3h07m` below a day.
fn long(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => age::shown(seconds),
        days => format!("{days}d{:02}h", seconds % 86_400 / 3600),
    }
}
