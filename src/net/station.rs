//! What all sessions of a process share.

use super::address::Address;
use super::autotoss::{Tossed, Turns};
use super::checker::Checker;
use super::discovery::Heard;
use super::metrics::Metrics;
use super::space::Promised;
use crate::config::{Autotoss, Neighbour, Node};
use crate::local::Local;
use crate::log::Log;
use crate::progress::Progress;
use crate::spool::Spool;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::keys::{NoisePrivate, NoisePublic};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::{DEADLINE, Flow, LONGEST, Options};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// A node on the network: its configuration, its spool, and what its sessions have in common.
pub struct Station {
    node: RwLock<Arc<Node>>,
    pub(super) spool: Spool,
    pub(super) log: Log,
    pub(super) progress: Progress,
    pub(super) deadline: Duration,
    pub(super) toss: Option<TossDuringCall>,
    pub(super) heard: Heard,
    /// The address at which each neighbour was last reached.
    pub(super) reached: Mutex<HashMap<NodeId, Address>>,
    pub(super) metrics: Metrics,
    pub(super) checker: Checker,
    pub(super) promised: Promised,
    pub(super) turns: Turns,
}

/// Tosses what a neighbour sent, up to a niceness.
pub type TossDuringCall =
    Arc<dyn Fn(&Local, &Neighbour, Autotoss, Niceness) -> Tossed + Send + Sync>;

/// What a [`Station`] stands on.
pub struct Parts {
    /// The opened node.
    pub local: Local,
    /// Time for a handshake, a frame, and idleness that is not configured; `None` is 10 seconds.
    pub deadline: Option<Duration>,
    /// Tosses a neighbour's packets, for sessions that are to toss while they receive.
    pub toss: Option<TossDuringCall>,
}

/// The terms of a session, before the neighbour's own are added.
#[derive(Debug, Clone)]
pub struct Terms {
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

impl Station {
    /// A station that nobody is connected with.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Local { node, spool, log, progress } = parts.local;
        Arc::new(Self {
            node: RwLock::new(node),
            spool,
            log,
            progress,
            deadline: parts.deadline.unwrap_or(DEADLINE).min(LONGEST),
            toss: parts.toss,
            heard: Heard::default(),
            reached: Mutex::default(),
            metrics: Metrics::default(),
            checker: Checker::default(),
            promised: Promised::default(),
            turns: Turns::default(),
        })
    }

    /// The node, with the configuration as it is now.
    pub(super) fn local(&self) -> Local {
        Local {
            node: self.node(),
            spool: self.spool.clone(),
            log: self.log.clone(),
            progress: self.progress.clone(),
        }
    }

    /// The configuration as it is now.
    pub fn node(&self) -> Arc<Node> {
        Arc::clone(&self.node.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new configuration. Sessions that run go on with the old one.
    pub(super) fn reload(&self, node: Node) {
        *self.node.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(node);
    }

    /// Our key, if this configuration has private keys.
    pub(super) fn key(&self) -> Option<NoisePrivate> {
        self.node().keys.as_ref().map(|keys| keys.noise.clone())
    }
}

/// The neighbour that has this key; the first by name, should two share it. A weak key is nobody's:
/// everybody could speak for its owner.
pub(super) fn neighbour_of<'a>(node: &'a Node, key: &NoisePublic) -> Option<&'a Neighbour> {
    let has_it = |neighbour: &&Neighbour| neighbour.noisepub.as_ref() == Some(key);
    node.neighbours.values().find(has_it).filter(|_| !key.is_weak())
}
