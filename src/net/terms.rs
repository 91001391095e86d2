//! The terms of a session: what the command or the schedule asks for.

use crate::config::{Autotoss, Neighbour};
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::{Flow, Options};
use std::collections::BTreeSet;
use std::time::Duration;

/// The terms of a session, before the neighbour's own are added.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Which way packets go.
    pub flow: Flow,
    /// Packets above this niceness stay.
    pub limit: Niceness,
    /// If present, nothing else is fetched.
    pub only: Option<BTreeSet<PacketHash>>,
    /// Messages a second; `None` is the neighbour's.
    pub rxrate: Option<u64>,
    /// Chunks a second; `None` is the neighbour's.
    pub txrate: Option<u64>,
    /// Idleness that ends the session; `None` is the neighbour's.
    pub onlinedeadline: Option<Duration>,
    /// Longest duration; `None` is the neighbour's, if that is inherited.
    pub maxonlinetime: Option<Duration>,
    /// Whether the neighbour's longest duration counts when there is none here.
    pub inherit_maxonlinetime: bool,
    /// Leave received packets unverified.
    pub nock: bool,
    /// Toss what arrives, while it arrives.
    pub autotoss: Option<Autotoss>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            flow: Flow::Both,
            limit: Niceness::MAX,
            only: None,
            rxrate: None,
            txrate: None,
            onlinedeadline: None,
            maxonlinetime: None,
            inherit_maxonlinetime: true,
            nock: false,
            autotoss: None,
        }
    }
}

impl Terms {
    /// The session's options with this neighbour.
    pub(super) fn options(&self, neighbour: &Neighbour, deadline: Duration) -> Options {
        let inherited = neighbour.maxonlinetime.filter(|_| self.inherit_maxonlinetime);
        let mut options = Options::default();
        options.flow = self.flow;
        options.limit = self.limit;
        options.only = self.only.clone();
        options.rxrate = self.rxrate.unwrap_or(neighbour.rxrate);
        options.txrate = self.txrate.unwrap_or(neighbour.txrate);
        options.onlinedeadline =
            self.onlinedeadline.or(neighbour.onlinedeadline).unwrap_or(deadline);
        options.maxonlinetime = self.maxonlinetime.or(inherited);
        options
    }
}
