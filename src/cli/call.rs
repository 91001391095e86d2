//! `nncp-call`: call a neighbour and exchange packets.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::nice::Nice;
use super::online::{self, AutotossFlags};
use super::operands::Operands;
use super::session;
use super::shared::Common;
use crate::config::Neighbour;
use crate::net::{CallError, Called, Target, Terms, call};
use anyhow::{Context, bail};
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::Flow;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

flags! {
    /// The flags of `call`.
    pub(crate) struct Args {
        use common: Common;
        use autotoss: AutotossFlags;
        /// Only receive packets
        "rx" rx: bool;
        /// Only transmit packets
        "tx" tx: bool;
        /// Only list the packets that the node has for us
        "list" list: bool;
        /// Receive only these packets, comma-separated
        "pkts" pkts: Option<String>;
        /// Do not verify received packets; keep them as .nock files
        "nock" nock: bool;
        /// Neither send nor receive packets above this niceness
        "nice" nice: Nice = Nice::of(Niceness::MAX);
        /// Receive at most this many packets a second; 0 means no limit
        "rxrate" rxrate: i64;
        /// Send at most this many packets a second; 0 means no limit
        "txrate" txrate: i64;
        /// Override the node's onlinedeadline, in seconds
        "onlinedeadline" onlinedeadline: u64;
        /// Override the node's maxonlinetime, in seconds
        "maxonlinetime" maxonlinetime: u64;
        /// Wait this many seconds for the node's multicast announcement, then call that address
        "mcd-wait" mcd_wait: u64;
        /// Use file descriptors 6 and 7, which a UCSPI client has opened
        "ucspi" ucspi: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "call",
    face: Face::Reference,
    about: "call a neighbour and exchange packets",
    usage: &["[options] NODE[:ADDR] [FORCEADDR]"],
    operands: Operands::these("NODE[:ADDR] [FORCEADDR]"),
    notes: "ADDR is the name of one of NODE's addresses, FORCEADDR an address itself: HOST:PORT,\n\
        [IPV6]:PORT or |COMMAND. Without either, call tries NODE's addresses in turn.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let (node, forced) = match operands {
        [] => return Err(WrongUsage.into()),
        [node, forced] => (node, Some(forced.to_string_lossy().into_owned())),
        [node, ..] => (node, None),
    };
    let limit = args.nice.level()?;
    if args.rx && args.tx {
        bail!("-rx and -tx can not be set simultaneously");
    }
    let local = session::open_with_keys(&args.common)?;
    let node = node.to_string_lossy();
    let (name, addr) = match node.split_once(':') {
        Some((name, addr)) => (name, Some(addr)),
        None => (&*node, None),
    };
    let neighbour = local.node.find(name).context("Invalid NODE specified")?.clone();
    if neighbour.noisepub.is_none() {
        return Err(CallError::NoKey.into());
    }
    let target = target(args, &neighbour, addr, forced)?;
    let terms = terms(args, limit)?;
    let station = online::station(local)?;
    let called = match call(&station, &neighbour, target, &terms) {
        // The log names each address that failed. A neighbour without an address fails silently.
        Err(CallError::Unreachable) => return Ok(Exit::Failed),
        other => other?,
    };
    let Called { good, tossed_well } = called;
    Ok(Exit::failed_if(!good || !tossed_well))
}

fn target(
    args: &Args,
    neighbour: &Neighbour,
    addr: Option<&str>,
    forced: Option<String>,
) -> anyhow::Result<Target> {
    if args.mcd_wait > 0 {
        return Ok(Target::Heard(Duration::from_secs(args.mcd_wait)));
    }
    if args.ucspi {
        return Ok(Target::Ucspi);
    }
    Ok(Target::Addresses(match (forced, addr) {
        (Some(forced), _) => vec![forced],
        (None, Some(addr)) => {
            vec![neighbour.addrs.get(addr).context("Unknown ADDR specified")?.clone()]
        }
        (None, None) => neighbour.addrs.values().cloned().collect(),
    }))
}

fn terms(args: &Args, limit: Niceness) -> anyhow::Result<Terms> {
    let seconds = |value: u64| (value > 0).then(|| Duration::from_secs(value));
    Ok(Terms {
        flow: match (args.list, args.rx, args.tx) {
            (true, _, _) => Flow::List,
            (_, true, _) => Flow::Receive,
            (_, _, true) => Flow::Send,
            _ => Flow::Both,
        },
        limit,
        only: args.pkts.as_deref().filter(|list| !list.is_empty()).map(packets).transpose()?,
        // The reference ignores the node's configured rates here, although its manual says otherwise.
        rxrate: Some(args.rxrate.try_into().unwrap_or(0)),
        txrate: Some(args.txrate.try_into().unwrap_or(0)),
        onlinedeadline: seconds(args.onlinedeadline),
        maxonlinetime: seconds(args.maxonlinetime),
        inherit_maxonlinetime: true,
        nock: args.nock,
        autotoss: args.autotoss.asked(),
    })
}

fn packets(list: &str) -> anyhow::Result<BTreeSet<PacketHash>> {
    let parsed = |name: &str| name.parse().with_context(|| format!("Invalid packet {name:?}"));
    list.split(',').map(parsed).collect()
}
