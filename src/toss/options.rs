//! A toss: the node it works on, what it does and what it leaves.

use crate::config::Autotoss;
use crate::handler::Search;
use crate::local::Local;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Kinds;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Acts on packets.
#[derive(Clone, Copy)]
pub struct Toss<'a> {
    /// Where answers and packets for others are queued.
    pub local: &'a Local,
    /// What to do.
    pub options: &'a Options,
}

impl Toss<'_> {
    /// Whether the toss should end.
    pub(super) fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }
}

/// What a toss does and leaves out.
#[derive(Debug, Clone)]
pub struct Options {
    /// Packets above this niceness stay.
    pub nice: Niceness,
    /// Authenticate and report, but change nothing.
    pub dry_run: bool,
    /// Leave a mark for every packet, so that it is not received again.
    pub seen: bool,
    /// Acknowledge every packet after its effect.
    pub acknowledge: bool,
    /// Kinds to leave in the queue.
    pub skip: Kinds,
    /// Where handlers' programs are found.
    pub search: Search,
    /// Raised when the toss should end after the packet at hand.
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
