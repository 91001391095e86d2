//! `nncp-stat`: shows the queues in the spool.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::session;
use super::shared::{Common, Json, Paths, Talk};
use super::stdio::Stdout;
use crate::config::Neighbour;
use crate::display::Size;
use crate::spool::{Job, Stat, Suffix, Totals, Xx};
use packmule_protocol::id::PacketHash;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{self, Write};

flags! {
    /// The flags of `stat`.
    pub(crate) struct Args {
        use paths: Paths;
        use json: Json;
        /// Print all events as records, including debug events
        "debug" debug: bool;
        /// Process only this node
        "node" node: Names;
        /// Also list the packets
        "pkt" pkt: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "stat",
    face: Face::Reference,
    about: "show the queues in the spool",
    usage: &["[options] [-pkt] [-node NODE]"],
    operands: Operands::NONE,
    notes: "For each neighbour, one line for each niceness: received packets (Rx), packets to be sent\n\
        (Tx), and received packets that are not verified yet (NoCK).",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let talk = Talk { debug: args.debug, ..Talk::default() };
    let local = session::open(&Common { paths: args.paths.clone(), talk, ..Common::default() })?;
    let mut out = Stdout::new();
    let mut failed = false;
    for neighbour in session::chosen(&local, &args.node)? {
        // The spool logged why it cannot read this queue. Show the other neighbours.
        let Ok(stat) = local.spool.stat(&neighbour.id) else {
            failed = true;
            continue;
        };
        match args.json.json {
            true => writeln!(out, "{}", object(neighbour, &stat, args.pkt))?,
            false => print(&mut out, neighbour, &stat, args.pkt)?,
        }
    }
    out.flush()?;
    Ok(Exit::failed_if(failed))
}

fn print(
    out: &mut impl Write,
    neighbour: &Neighbour,
    stat: &Stat,
    packets: bool,
) -> io::Result<()> {
    writeln!(out, "{}", neighbour.name)?;
    if packets {
        list(out, stat)?;
    }
    if !stat.part.is_empty() {
        writeln!(out, "\tpart: {}", sum(stat.parts()))?;
    }
    for (nice, level) in stat.levels() {
        write!(out, "\tnice:{nice:>4} | Rx: {} | Tx: {}", sum(level.rx), sum(level.tx))?;
        if level.nock.packets > 0 {
            write!(out, " | NoCK: {}", sum(level.nock))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Prints one line for each packet, in the order of the directory.
fn list(out: &mut impl Write, stat: &Stat) -> io::Result<()> {
    let mut line = |xx: Xx, job: &Job, suffix: &str| {
        let (hash, size, nice) = (job.hash, Size(job.size), job.nice());
        writeln!(out, "\t{xx} {hash}{suffix} {size} (nice: {nice})")
    };
    stat.rx.iter().try_for_each(|job| line(Xx::Rx, job, ""))?;
    stat.nock.iter().try_for_each(|job| line(Xx::Rx, job, Suffix::Nock.text()))?;
    for (hash, size) in &stat.part {
        writeln!(out, "\trx {hash}{} {}", Suffix::Part.text(), Size(*size))?;
    }
    for job in &stat.tx {
        writeln!(out, "\ttx {} {} (nice: {})", job.hash, Size(job.size), job.nice())?;
    }
    Ok(())
}

/// Puts a blank before the count in place of a sign, like the reference; it is part of the width.
fn sum(sum: Totals) -> String {
    format!("{:>10}, {:>3} pkts", Size(sum.bytes), format!(" {}", sum.packets))
}

fn object(neighbour: &Neighbour, stat: &Stat, packets: bool) -> Value {
    let sum = |sum: Totals| json!({"packets": sum.packets, "bytes": sum.bytes});
    let levels: Vec<_> = stat
        .levels()
        .into_iter()
        .map(|(nice, level)| {
            json!({
                "nice": nice.get(),
                "rx": sum(level.rx), "tx": sum(level.tx), "nock": sum(level.nock),
            })
        })
        .collect();
    let mut object = json!({
        "node": neighbour.name, "id": neighbour.id.to_string(),
        "part": sum(stat.parts()), "levels": levels,
    });
    if packets {
        object["packets"] = listing(stat).into();
    }
    object
}

fn listing(stat: &Stat) -> Vec<Value> {
    let job = |xx: Xx, job: &Job, state: &str| {
        json!({
            "xx": xx.to_string(), "packet": job.hash.to_string(), "state": state,
            "bytes": job.size, "nice": job.nice().get(),
        })
    };
    let part = |part: &(PacketHash, u64)| {
        let (hash, size) = part;
        json!({"xx": "rx", "packet": hash.to_string(), "state": "part", "bytes": size})
    };
    let rx = stat.rx.iter().map(|each| job(Xx::Rx, each, "whole"));
    let nock = stat.nock.iter().map(|each| job(Xx::Rx, each, "nock"));
    let tx = stat.tx.iter().map(|each| job(Xx::Tx, each, "whole"));
    rx.chain(nock).chain(stat.part.iter().map(part)).chain(tx).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_the_references() {
        for (packets, bytes, want) in [
            (0, 0, "       0 B,   0 pkts"),
            (27, 1_992_294, "   1.9 MiB,  27 pkts"),
            (299, 925_696, "   904 KiB,  299 pkts"),
            (10000, 4_810_000, "   4.6 MiB,  10000 pkts"),
        ] {
            assert_eq!(sum(Totals { packets, bytes, ..Totals::default() }), want);
        }
    }
}
