//! Queues packets for neighbours: one file per kind of packet.
//!
//! Every kind ends in [`Local::queue`](crate::local::Local): it encrypts the content for the
//! recipient, then for each relay on the route (`route`), writes it under `tmp/`, and publishes it
//! in the first hop's `tx/`.

mod ack;
mod chunk;
mod delivery;
mod error;
mod exec;
mod file;
mod freq;
pub(crate) mod path;
mod producer;
mod queue;
mod route;
mod source;
mod statement;
mod tar;
mod trns;

pub(crate) use ack::AckOptions;
pub use delivery::FileOptions;
pub use error::{QueueError, RouteError};
pub use exec::ExecOptions;
pub use freq::FreqOptions;
pub(crate) use producer::{Producer, end_producers};
pub(crate) use queue::Queued;
pub use route::{Destination, Via};
pub use source::{Source, SourceError};
pub(crate) use statement::Moment;
pub(crate) use tar::record as pax_record;
