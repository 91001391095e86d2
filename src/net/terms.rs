//! The terms of a session, from the command line or the schedule.

use crate::config::{Autotoss, Neighbour};
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::{Flow, Options};
use std::collections::BTreeSet;
use std::time::Duration;

/// The terms of a session, without the neighbour's own settings.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// The direction in which packets are transferred.
    pub flow: Flow,
    /// Packets with a greater niceness are not transferred.
    pub limit: Niceness,
    /// If present, only these packets are received.
    pub only: Option<BTreeSet<PacketHash>>,
    /// Messages per second; `None` for the neighbour's setting.
    pub rxrate: Option<u64>,
    /// Chunks per second; `None` for the neighbour's setting.
    pub txrate: Option<u64>,
    /// Idle time after which the session ends; `None` for the neighbour's setting.
    pub onlinedeadline: Option<Duration>,
    /// Maximum duration; `None` for the neighbour's setting, if that is inherited.
    pub maxonlinetime: Option<Duration>,
    /// If there is no maximum duration here, the neighbour's applies.
    pub inherit_maxonlinetime: bool,
    /// Leave received packets unverified.
    pub nock: bool,
    /// Toss packets while more of them arrive.
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
    /// The options of the session with this neighbour.
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
