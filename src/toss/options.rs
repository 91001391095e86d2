//! The options of a toss.

use crate::config::Autotoss;
use crate::handler::Search;
use crate::local::Local;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Kinds;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Processes packets.
#[derive(Clone, Copy)]
pub struct Toss<'a> {
    /// The node, which also queues replies and forwarded packets.
    pub local: &'a Local,
    /// The options.
    pub options: &'a Options,
}

impl Toss<'_> {
    /// True if the toss has to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }
}

/// The options of a toss.
#[derive(Debug, Clone)]
pub struct Options {
    /// Skip packets with a greater niceness.
    pub nice: Niceness,
    /// Authenticate and report, but change nothing.
    pub dry_run: bool,
    /// Write a mark for each packet, so that it is not received again.
    pub seen: bool,
    /// Acknowledge each packet once it has been processed.
    pub acknowledge: bool,
    /// Kinds to leave in the queue.
    pub skip: Kinds,
    /// Finds the programs of handlers.
    pub search: Search,
    /// Set to stop the toss after the current packet.
    pub stop: Arc<AtomicBool>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nice: Niceness::MAX,
            dry_run: false,
            seen: false,
            acknowledge: false,
            skip: Kinds::default(),
            search: Search::default(),
            stop: Arc::default(),
        }
    }
}

impl From<Autotoss> for Options {
    fn from(auto: Autotoss) -> Self {
        Self { seen: auto.doseen, acknowledge: auto.gen_ack, skip: auto.leave, ..Self::default() }
    }
}
