//! State that all sessions of a process share.

use super::address::Address;
use super::heard::Heard;
use super::metrics::Metrics;
use super::space::Promised;
use super::turns::Turns;
use super::verified::Verified;
use crate::config::{Autotoss, Neighbour, Node};
use crate::ledger::Ledger;
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

/// A node on the network: its configuration, its spool, and what its sessions share.
pub(crate) struct Station {
    node: RwLock<Arc<Node>>,
    pub(super) spool: Spool,
    /// Which packets are on their way, and what became of them.
    pub(super) ledger: Ledger,
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

/// Tosses the packets of a neighbour, up to a niceness.
pub(crate) type TossDuringCall =
    Arc<dyn Fn(&Local, &Neighbour, Autotoss, Niceness) -> Tossed + Send + Sync>;

/// The result of one toss during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tossed {
    /// All packets were processed successfully.
    pub well: bool,
    /// Another process is tossing, so this toss did nothing.
    pub busy: bool,
}

/// The parts of a [`Station`].
pub(crate) struct Parts {
    /// The opened node.
    pub local: Local,
    /// Default time limit for a handshake, a frame, and idleness; `None` for 10 seconds.
    pub deadline: Option<Duration>,
    /// Tosses a neighbour's packets during a session.
    pub toss: Option<TossDuringCall>,
}

impl Station {
    /// A station without sessions.
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Local { node, spool, ledger, log, progress } = parts.local;
        Arc::new(Self {
            node: RwLock::new(node),
            spool,
            ledger,
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

    /// The node with the current configuration.
    pub(super) fn local(&self) -> Local {
        Local {
            node: self.node(),
            spool: self.spool.clone(),
            ledger: self.ledger.clone(),
            log: self.log.clone(),
            progress: self.progress.clone(),
        }
    }

    /// The current configuration.
    pub(crate) fn node(&self) -> Arc<Node> {
        Arc::clone(&self.node.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the configuration. Running sessions continue with the old one.
    pub(super) fn reload(&self, node: Node) {
        *self.node.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(node);
    }

    /// This node's key, if the configuration has private keys.
    pub(super) fn key(&self) -> Option<NoisePrivate> {
        self.node().keys.as_ref().map(|keys| keys.noise.clone())
    }
}
