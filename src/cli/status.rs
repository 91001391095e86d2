//! `packmule status`: what is proven to be done at partners, how old it is, and what is on its way.

mod gather;
mod json;
mod text;

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::{Common, Json};
use super::{session, stdio};
use crate::age;
use anyhow::{Context, anyhow, bail};
use gather::Partner;
use packmule_protocol::statement::LedgerId;
use std::ffi::{OsStr, OsString};

flags! {
    /// The flags of `status`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        /// Decide which of two ledgers speaks for a node: -accept NODE LEDGER
        "accept" accept: bool;
        /// Show only that node
        "node" node: Names;
        /// Show only that backup
        "backup" backup: Option<String>;
        /// Show each packet that is on its way
        "pkt" pkt: bool;
        /// A backup is too old that is older: 36h, 14d; in place of the configured limits
        "max-age" max_age: Option<String>;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "status",
    face: Face::Own,
    about: "show what is proven to be done elsewhere, and how old it is",
    usage: &["[options]", "-accept NODE LEDGER"],
    operands: Operands::these("[NODE] [LEDGER]"),
    notes: "For each node that the configuration asks for proof, or that sent a statement: its backups,\n\
            each with the age of the newest data up to which everything that was queued under its name\n\
            is done there; what is on its way; what waits there and why; what lies here of its packets.\n\
            Ages are by this machine's clock. If a time is in the future, the age is unknown.\n\
            Exit status: 2 when a backup is older than its limit, or was never proven for longer than\n\
            that; 1 when an age is unknown, a packet failed, two nodes claim to be one, or a node never\n\
            answered; 0 otherwise.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    match operands {
        [node, ledger] if args.accept => return accept(args, node, ledger),
        [] if !args.accept => {}
        _ => return Err(WrongUsage.into()),
    }
    let max_age = match &args.max_age {
        None => None,
        Some(text) => Some(age::parse(text).with_context(|| {
            format!("-max-age {text:?}: an age is a number and s, m, h or d, such as 36h")
        })?),
    };
    let local = session::open(&args.common)?;
    let chosen = session::chosen(&local, &args.node)?;
    let now = local.now();
    let (mut old, mut unsure) = (false, false);
    for neighbour in chosen.into_iter().filter(|one| local.is_partner(one)) {
        let mut partner = Partner::read(&local, neighbour, max_age)
            .with_context(|| format!("reading the ledger of {}", neighbour.name))?;
        if let Some(name) = &args.backup {
            partner.backups.retain(|backup| backup.standing.backup == *name);
        }
        let print = if args.json.json { json::print } else { text::print };
        let mut out = print(&partner, now);
        if args.pkt {
            let packet = if args.json.json { json::packet } else { text::packet };
            partner.each_packet(&local, |entry, place| {
                out.push_str(&packet(&partner, entry, place));
            })?;
        }
        stdio::output(out.as_bytes())?;
        old |= partner.backups.iter().any(|backup| backup.is_old(now));
        unsure |= partner.is_unsure(now);
    }
    Ok(match (unsure, old) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Different,
        (false, false) => Exit::Done,
    })
}

/// A person decides which of two ledgers speaks for a node.
fn accept(args: &Args, node: &OsStr, ledger: &OsStr) -> anyhow::Result<Exit> {
    let local = session::open(&args.common)?;
    let neighbour = local.node.find(&node.to_string_lossy()).context("Invalid NODE specified")?;
    let ledger = ledger.to_string_lossy();
    let ledger: LedgerId = ledger.parse().map_err(|error| anyhow!("{ledger}: {error}"))?;
    let heard = local.ledger.heard(&neighbour.id)?;
    let claims = heard.and_then(|heard| Some([heard.ledger, heard.claim?]));
    let Some(claims) = claims else { bail!("{}: there is nothing to decide", neighbour.name) };
    if !claims.contains(&ledger) {
        let [one, other] = claims;
        bail!("{ledger} does not claim to be {}: {one} and {other} do", neighbour.name);
    }
    local.ledger.decide(&neighbour.id, ledger, local.now())?;
    Ok(Exit::Done)
}
