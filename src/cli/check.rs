//! `nncp-check`: verifies packets against their names.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::{Common, Json};
use super::{session, stdio};
use crate::config::Neighbour;
use crate::local::Local;
use crate::spool::{Checked, Suffix, Xx};
use serde_json::json;
use std::ffi::OsString;
use std::thread;
use std::time::Duration;

flags! {
    /// The flags of `check`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        /// Verify .nock files; rename each good one to a packet
        "nock" nock: bool;
        /// Run forever: check again every N seconds
        "cycle" cycle: u64;
        /// Process only this node
        "node" node: Names;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "check",
    face: Face::Reference,
    about: "verify packets in the spool against their names",
    usage: &["[options] [-nock]"],
    operands: Operands::NONE,
    notes: "Names each bad packet and keeps it. If a packet received from a node is bad, check does not\n\
            verify the packets queued for that node.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open(&args.common)?;
    let neighbours = session::chosen(&local, &args.node)?;
    loop {
        let mut failed = false;
        for neighbour in &neighbours {
            failed |= !check(&local, neighbour, args)?;
        }
        if args.cycle == 0 {
            return Ok(Exit::failed_if(failed));
        }
        thread::sleep(Duration::from_secs(args.cycle));
    }
}

/// Checks the packets of a neighbour. True if all are good.
fn check(local: &Local, neighbour: &Neighbour, args: &Args) -> anyhow::Result<bool> {
    let (spool, id) = (&local.spool, &neighbour.id);
    if args.nock {
        // `check_nocks` logged why it could not read the directory.
        let Ok(checked) = spool.check_nocks(id, &local.progress) else { return Ok(false) };
        for bad in checked.bad.iter().filter(|_| !args.json.json) {
            stdio::complain(&format!("{} {}\n", bad.path.display(), bad.why));
        }
        return report(args, neighbour, Xx::Rx, Suffix::Nock.text(), &checked);
    }
    for xx in [Xx::Rx, Xx::Tx] {
        let Ok(checked) = spool.check(id, xx, &local.progress) else { return Ok(false) };
        if !report(args, neighbour, xx, "", &checked)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reports the result of one directory, as JSON with `-json`. True if all packets are good.
fn report(
    args: &Args,
    neighbour: &Neighbour,
    xx: Xx,
    suffix: &str,
    checked: &Checked,
) -> anyhow::Result<bool> {
    if args.json.json {
        let bad = checked.bad.iter().map(
            |bad| json!({"packet": bad.hash.to_string(), "bytes": bad.size, "error": bad.why}),
        );
        let line = json!({
            "node": neighbour.name, "id": neighbour.id.to_string(),
            "xx": xx.to_string(), "nock": !suffix.is_empty(),
            "good": checked.good, "bad": bad.collect::<Vec<_>>(),
        });
        stdio::output(format!("{line}\n").as_bytes())?;
    }
    Ok(checked.bad.is_empty())
}
