//! Synchronization: how two nodes exchange packets over a stream. NNCP manual, "Synchronization
//! protocol".
//!
//! Both sides offer what they hold (INFO), ask for what they lack from where they stand (FREQ),
//! are sent it in chunks (FILE) and confirm what is safe (DONE). A [`Session`] is one such
//! exchange as a value: no socket, no file, no clock.

mod downloads;
mod event;
pub mod frame;
pub mod handshake;
pub mod message;
mod offers;
mod options;
mod outgoing;
mod pace;
mod running;
mod session;
#[cfg(test)]
mod tests;
mod timers;

pub use event::{Closed, Decision, Event, Left, Oddity, PeerError, Traffic};
pub use offers::{Offer, Reached, Total, Unconfirmed};
pub use options::{Flow, Options};
pub use outgoing::{MAX_CHUNK, Read};
pub use running::Store;
pub use session::Session;

use std::time::Duration;

/// How long a handshake may take, a frame may need, and two sides may be idle, if nothing else is
/// configured.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Longer deadlines are cut to this, so that no sum of time and deadline overflows.
pub const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);
/// Most bytes of messages in one frame.
pub const MAX_PAYLOAD: usize = 65_536 - 256;
