//! Sending: snapshots, increments from what was sent before, and marks that remember it in the
//! pool itself.
//!
//! A stream is handed to a [`Queue`] as a reader. Its end is the permission to publish: it comes
//! only when `zfs send` exited well and the walker saw the expected snapshot whole.

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
