//! `nncp-daemon`: answer calls.

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
        /// TCP address to listen on; empty is none
        "bind" bind: Option<String> = Some("[::]:5400".into());
        /// Connections at a time
        "maxconn" maxconn: i64 = 128;
        /// Leave received packets unverified, as .nock files
        "nock" nock: bool;
        /// Leave packets above this niceness, both ways
        "nice" nice: Nice = Nice::of(Niceness::MAX);
        /// Send the multicast announcements once, and exit
        "mcd-once" mcd_once: bool;
        /// Serve one session on standard input and output
        "ucspi" ucspi: bool;
        /// The old name of -ucspi
        "inetd" inetd: bool;
        /// Not built in: use a Yggdrasil daemon
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
    notes: "Under systemd, sockets of a socket unit are used instead of -bind. SIGHUP reads the\n\
        configuration again; SIGTERM ends all sessions, and what was half received is kept.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let limit = args.nice.level()?;
    let one = args.ucspi || args.inetd;
    if args.yggdrasil.as_ref().is_some_and(|url| !url.is_empty()) {
        bail!(
            "-yggdrasil: packmule has no Yggdrasil router built in; run the yggdrasil daemon, \
             which makes it an ordinary network, and -bind to your address there"
        );
    }
    let mut common = args.common.clone();
    // Standard error is the peer's, with some servers: nothing is said there.
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
            bail!("-mcd-once announces the port of -bind, and -bind names none");
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
