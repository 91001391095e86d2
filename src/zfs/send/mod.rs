//! Sends datasets: makes snapshots, sends increments to what was sent before, and keeps marks of
//! that in the pool.
//!
//! A [`Queue`] reads each stream. Its end without an error is the permission to publish: it comes
//! only if `zfs send` exited with status 0 and the walker saw the expected stream complete.

mod age;
mod base;
mod catch_up;
mod chain;
mod choose;
mod confirm;
mod datasets;
mod dispatch;
mod error;
mod lost;
mod marks;
mod naming;
mod pack;
mod properties;
mod queue;
mod retain;
mod run;
mod snapshot;
mod step;
mod stream;
mod tee;
mod transfer;

pub use base::Source;
pub use chain::{Chain, Departure};
pub use confirm::confirm;
pub use dispatch::{Dispatch, Sent};
pub use error::SendError;
pub use marks::{Mark, Marks, Role};
pub use naming::{Naming, SetName};
pub use pack::Flow;
pub use queue::{Queue, QueueError};
pub use run::{Options, Run};
