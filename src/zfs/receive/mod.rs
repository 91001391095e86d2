//! Receiving: streams that arrive in any order, more than once, or damaged, into one subtree.
//!
//! A [`Session`] reads the header of each waiting stream. Then it names the next stream to apply,
//! until no stream can be applied:
//!
//! ```text
//! add(head) ... -> step() -> Apply(key)  -> apply(key, open)  -> Outcome
//!                         -> Answer(key, Outcome)     (`zfs receive` was not run)
//! ```

mod apply;
mod arguments;
mod backlog;
mod candidate;
mod directory;
mod elsewhere;
mod error;
mod feed;
mod head;
mod input;
mod judge;
mod overview;
mod parse;
mod part;
mod partial;
mod parts;
mod placeholder;
mod policy;
mod record;
mod session;
mod settings;
mod sibling;
mod stop;
mod subtree;
mod verify;

pub use super::outcome::{Applied, Outcome};
pub use directory::{holds_streams, receive_directory};
pub use error::ReceiveError;
pub use input::Open;
pub use overview::{Prediction, Preview};
pub use parse::{PolicyError, SETTINGS as RECEIVE_SETTINGS, seconds};
pub use policy::{Allowed, Policy};
pub use session::Session;
pub use settings::{RECEIVER, warnings};
