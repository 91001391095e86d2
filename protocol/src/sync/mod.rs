//! Synchronization: two nodes exchange packets over a stream. NNCP manual, "Synchronization
//! protocol".
//!
//! Each side offers its packets (INFO), requests those that it lacks from the first missing byte on
//! (FREQ), sends requested packets in chunks (FILE), and confirms those that are safely stored
//! (DONE). A [`Session`] is one such exchange as a value: it has no socket, no file and no clock.
//!
//! A whole call, without a network and with a made-up clock:
//!
//! ```
//! use packmule_protocol::id::PacketHash;
//! use packmule_protocol::keys::NoisePrivate;
//! use packmule_protocol::mth;
//! use packmule_protocol::niceness::Niceness;
//! use packmule_protocol::seed::Seed;
//! use packmule_protocol::sync::{DEADLINE, Decision, Event, Offer, Options, Session};
//! use std::time::Instant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seed = || Seed::from_source(getrandom::fill);
//! let (alice, bob) = (NoisePrivate::generate(seed()?), NoisePrivate::generate(seed()?));
//! let packet = vec![7; 100_000];
//! let hash = PacketHash(mth::hash(&packet));
//! let offers = vec![Offer { hash, nice: Niceness::NORMAL, size: 100_000 }];
//!
//! let mut now = Instant::now();
//! let options = Options::default;
//! let mut caller =
//!     Session::call(now, &alice, &bob.public(), seed()?, DEADLINE, options(), offers);
//! let mut called = Session::answer(now, bob, seed()?, DEADLINE);
//! let (mut received, mut delivered) = (Vec::new(), false);
//!
//! while caller.closed().is_none() && called.closed().is_none() {
//!     // The line: each side receives what the other one sends.
//!     let mut frame = Vec::new();
//!     let mut busy = caller.poll_output(now, &mut frame);
//!     called.handle_input(now, &frame);
//!     if called.caller() == Some(alice.public()) {
//!         called.accept(now, options(), Vec::new());
//!     }
//!     frame.clear();
//!     busy |= called.poll_output(now, &mut frame);
//!     caller.handle_input(now, &frame);
//!
//!     // The called side's disk.
//!     while let Some(event) = called.poll_event() {
//!         busy = true;
//!         match event {
//!             Event::Offered(offer) => called.decide(&offer.hash, Decision::Fetch { offset: 0 }),
//!             Event::Store(store) => {
//!                 received.extend_from_slice(&store.data);
//!                 if store.last && mth::hash(&received) == store.hash.0 {
//!                     called.decide(&store.hash, Decision::Have);
//!                 }
//!             }
//!             _ => {}
//!         }
//!     }
//!     // The caller's disk.
//!     while let Some(event) = caller.poll_event() {
//!         busy = true;
//!         match event {
//!             Event::Read(read) => {
//!                 let start = usize::try_from(read.offset)?;
//!                 caller.supply(read.ticket, Some(packet[start..start + read.len].to_vec()));
//!             }
//!             Event::Delivered(which) => delivered = which == hash,
//!             _ => {}
//!         }
//!     }
//!     // Neither side has anything to do, so advance the clock to the next deadline.
//!     if !busy {
//!         let next = [caller.poll_timeout(), called.poll_timeout()].into_iter().flatten().min();
//!         now = next.expect("an open session has a deadline");
//!         caller.handle_timeout(now);
//!         called.handle_timeout(now);
//!     }
//! }
//! assert_eq!(received, packet);
//! assert!(delivered);
//! # Ok(())
//! # }
//! ```

mod downloads;
mod event;
pub mod frame;
pub mod handshake;
pub mod message;
mod offers;
mod options;
mod outgoing;
mod pace;
mod phase;
mod running;
mod session;
#[cfg(test)]
mod tests;
mod timers;

pub use event::{Closed, Decision, Event, Left, Oddity, PeerError, Store, Traffic};
pub use offers::{Offer, Reached, Total, Unconfirmed};
pub use options::{Flow, Options};
pub use outgoing::{MAX_CHUNK, Read};
pub use session::Session;

use std::time::Duration;

/// The default time limit for a handshake, for a frame, and for an idle session.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Longer deadlines are reduced to this, so that adding a deadline to a time cannot overflow.
pub const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);
/// Limit for the messages in one frame, in bytes.
pub const MAX_PAYLOAD: usize = 65_536 - 256;
