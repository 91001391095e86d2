//! What all sessions of a process share.

use super::address::Address;
use super::heard::Heard;
use super::metrics::Metrics;
use super::space::Promised;
use super::turns::Turns;
use super::verified::Verified;
use crate::config::{Autotoss, Neighbour, Node};
use crate::local::Local;
use crate::log::Log;
use crate::progress::Progress;
use crate::spool::Spool;
use packmule_protocol::id::NodeId;
use packmule_protocol::keys::NoisePrivate;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::{DEADLINE, LONGEST};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// A node on the network: its configuration, its spool, and what its sessions have in common.
pub(crate) struct Station {
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
    pub(super) verified: Verified,
    pub(super) promised: Promised,
    pub(super) turns: Turns,
}

/// Tosses what a neighbour sent, up to a niceness.
pub(crate) type TossDuringCall =
    Arc<dyn Fn(&Local, &Neighbour, Autotoss, Niceness) -> Tossed + Send + Sync>;

/// What came of one toss during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tossed {
    /// All packets went well.
    pub well: bool,
    /// Another process is tossing, so nothing was done.
    pub busy: bool,
}

/// What a [`Station`] stands on.
pub(crate) struct Parts {
    /// The opened node.
    pub local: Local,
    /// Time for a handshake, a frame, and idleness that is not configured; `None` is 10 seconds.
    pub deadline: Option<Duration>,
    /// Tosses a neighbour's packets, for sessions that are to toss while they receive.
    pub toss: Option<TossDuringCall>,
}

impl Station {
    /// A station that nobody is connected with.
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
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
            verified: Verified::default(),
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
    pub(crate) fn node(&self) -> Arc<Node> {
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
