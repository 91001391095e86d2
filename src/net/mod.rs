//! Calls between nodes: the only async code.
//!
//! [`call()`] and [`daemon()`] are ordinary functions that start a runtime, serve, and return.
//! Below them, `driver` moves bytes between a stream (`link`) and a
//! [`Session`](packmule_protocol::sync::Session), and passes disk work (`inbound`, `outbound`) to
//! blocking threads.

mod accept;
mod answer;
mod autotoss;
mod call;
mod caller;
mod checker;
mod daemon;
mod descriptor;
mod discovery;
mod driver;
mod exposition;
mod handshake;
mod heard;
mod inbound;
mod leftover;
mod link;
mod locks;
mod metrics;
mod offers;
mod outbound;
mod queues;
mod refusals;
mod registry;
mod runtime;
mod scrape;
mod session;
mod space;
mod station;
mod stop;
mod supervisor;
mod terms;
mod turns;
mod verified;
mod worker;

use crate::config::address;

pub(crate) use call::{CallError, Called, Target, call};
pub(crate) use caller::{Caller, caller};
pub(crate) use daemon::{Daemon, Listen, Reload, announce_once, daemon, port_of, serve_one};
pub(crate) use station::{Parts, Station, TossDuringCall, Tossed};
pub(crate) use terms::Terms;
