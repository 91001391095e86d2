//! `nncp-daemon`: answers calls.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::nice::Nice;
use super::online::{self, AutotossFlags};
use super::operands::Operands;
use super::shared::Common;
use super::{environment, session};
use crate::net::{Daemon, Listen, Terms, announce_once, daemon, port_of, serve_one};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;

flags! {
    /// The flags of `daemon`.
    pub(crate) struct Args {
        use common: Common;
        use autotoss: AutotossFlags;
        /// TCP address to listen on; empty: listen on none
        "bind" bind: Option<String> = Some("[::]:5400".into());
        /// Maximal number of connections at a time
        "maxconn" maxconn: i64 = 128;
        /// Do not verify received packets; keep them as .nock files
        "nock" nock: bool;
        /// Neither send nor receive packets above this niceness
        "nice" nice: Nice = Nice::of(Niceness::MAX);
        /// Send the multicast announcements once and exit
        "mcd-once" mcd_once: bool;
        /// Serve one session on standard input and output
        "ucspi" ucspi: bool;
        /// Old name of -ucspi
        "inetd" inetd: bool;
        /// Not supported: run a Yggdrasil daemon instead
        "yggdrasil" yggdrasil: Option<String>;
        /// Serve OpenMetrics on this loopback address
        "metrics" metrics: Option<String>;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "daemon",
    face: Face::Reference,
    about: "answer calls",
    usage: &["[options]"],
    operands: Operands::NONE,
    notes: "If systemd passes sockets of a socket unit, they replace -bind. On SIGHUP, the daemon reads\n\
        the configuration again. On SIGTERM, it ends all sessions and keeps partly received packets.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let limit = args.nice.level()?;
    let one = args.ucspi || args.inetd;
    if args.yggdrasil.as_ref().is_some_and(|url| !url.is_empty()) {
        bail!(
            "-yggdrasil: packmule has no Yggdrasil router built in; run the yggdrasil daemon \
             and give your Yggdrasil address to -bind"
        );
    }
    let mut common = args.common.clone();
    // Some UCSPI servers connect standard error to the peer, so nothing is printed there.
    common.talk.quiet |= one;
    let local = session::open_with_keys(&common)?;
    let terms =
        Terms { limit, nock: args.nock, autotoss: args.autotoss.asked(), ..Terms::default() };
    let station = online::station(local)?;
    if one {
        serve_one(&station, &terms, &environment::ucspi_peer().unwrap_or_else(|| "PIPE".into()))?;
        return Ok(Exit::Done);
    }
    let bind = args.bind.as_deref().unwrap_or_default();
    let listen = match (environment::inherited_sockets(), bind) {
        (Some(count), _) => Listen::Inherited(count),
        (None, "") => Listen::Nowhere,
        (None, bind) => {
            port_of(bind)?;
            Listen::Address(bind.into())
        }
    };
    if args.mcd_once {
        if bind.is_empty() {
            bail!("-mcd-once announces the port of -bind, but -bind is empty");
        }
        announce_once(&station, bind)?;
        return Ok(Exit::Done);
    }
    let metrics = args.metrics.as_ref().map(|address| address.parse().context("-metrics"));
    daemon(
        &station,
        Daemon {
            listen,
            max_connections: args.maxconn.try_into().unwrap_or(0),
            terms,
            metrics: metrics.transpose()?,
            supervisor: environment::supervisor(),
            reload: Some(online::reload(&common.paths.config, common.talk.quiet)),
        },
    )?;
    Ok(Exit::Done)
}
