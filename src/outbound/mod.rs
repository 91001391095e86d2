//! Queueing packets for neighbours: one file per kind of packet.
//!
//! Every kind ends in [`Outbox::queue`]: the content is sealed for its recipient, then for every
//! relay on the way (`route`), written under `tmp/`, and published in the first hop's `tx/`.

mod ack;
mod chunk;
mod exec;
mod file;
mod freq;
pub mod path;
mod producer;
mod queue;
mod route;
mod source;
mod tar;
mod trns;

pub use ack::AckOptions;

pub use exec::{ExecOptions, ExecSource};
pub use file::FileOptions;
pub use freq::FreqOptions;
pub use producer::{Producer, end_producers};
pub use queue::{Parcel, QueueError, Queued};
pub use route::{Destination, Route, RouteError, Via};
pub use source::{Source, SourceError};
pub(crate) use tar::record as pax_record;
pub use trns::TrnsError;

use crate::config::Node;
use crate::log::Log;
use crate::progress::Progress;
use crate::spool::Spool;

/// Where packets are queued, in whose name, and who is told.
#[derive(Clone, Copy)]
pub struct Outbox<'a> {
    /// This node and its neighbours.
    pub node: &'a Node,
    /// Its spool.
    pub spool: &'a Spool,
    /// Its log.
    pub log: &'a Log,
    /// Who watches.
    pub progress: &'a Progress,
}
