//! Receiving: streams that arrive in any order, more than once, or damaged, into one subtree.
//!
//! A [`Session`] looks at the head of everything that waits, then names what to apply next until
//! nothing more fits:
//!
//! ```text
//! add(head) ... -> step() -> Apply(key)  -> apply(key, open)  -> Outcome
//!                         -> Answer(key, Outcome)     (nothing was run)
//! ```

mod apply;
mod arguments;
mod backlog;
mod beside;
mod candidate;
mod directory;
mod elsewhere;
mod feed;
mod head;
mod input;
mod judge;
mod overview;
mod part;
mod partial;
mod parts;
mod placeholder;
mod policy;
mod record;
mod session;
mod settings;
mod stop;
mod subtree;
mod verify;

pub use super::outcome::{Applied, Outcome};
pub use directory::{holds_streams, receive_directory};
pub use input::Open;
pub use overview::{Held, Looked};
pub use policy::{Allowed, Policy, PolicyError, SETTINGS as RECEIVE_SETTINGS, seconds};
pub use session::Session;
pub use settings::{RECEIVER, warnings};

use super::command::ZfsError;
use std::io;

/// Why a session can not go on.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// `zfs` can not be run or asked.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// The root of the configuration does not exist.
    #[error("the dataset {0} of --into does not exist")]
    NoRoot(String),
    /// A stream could not be read.
    #[error("reading the stream: {0}")]
    Read(io::Error),
    /// A file that is done with could not be removed.
    #[error("removing the file: {0}")]
    Remove(io::Error),
    /// The filter that decrypts failed.
    #[error("{command} failed ({status}): {words}")]
    Filter {
        /// The filter.
        command: String,
        /// How it ended.
        status: String,
        /// What it said.
        words: String,
    },
    /// Lock files can not be made.
    #[error("locking: {0}")]
    Lock(io::Error),
}
