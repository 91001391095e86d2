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
mod beside;
mod directory;
mod elsewhere;
mod feed;
mod input;
mod judge;
mod links;
mod overview;
mod parts;
mod placeholder;
mod policy;
mod session;
mod settings;
mod verify;

pub use directory::{holds_streams, receive_directory};
pub use input::Open;
pub use overview::{Held, Looked};
pub use policy::{Allowed, Policy, PolicyError, SETTINGS as RECEIVE_SETTINGS, seconds};
pub use session::{Session, Step};
pub use settings::{RECEIVER, warnings};

use super::command::ZfsError;
use super::decide::{Refusal, Wait};
use std::io;

/// What became of a waiting stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Applied, and seen in the pool afterwards.
    Done(Vec<Applied>),
    /// It is there already, or will never be needed.
    Duplicate(&'static str),
    /// Not yet.
    Defer(Wait),
    /// Never.
    Reject(Refusal),
}

impl Outcome {
    /// Whether nothing becomes of the stream before a person acts.
    pub fn is_stuck(&self) -> bool {
        match self {
            Self::Done(_) | Self::Duplicate(_) => false,
            Self::Defer(wait) => wait.needs_person(),
            Self::Reject(_) => true,
        }
    }
}

/// A stream that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The dataset it went into.
    pub target: String,
    /// The snapshot it made, without the dataset's name.
    pub snapshot: String,
    /// Name of the snapshot on the sending side.
    pub to_name: String,
    /// The snapshot it made.
    pub to_guid: u64,
    /// The snapshot it needed; 0 for none.
    pub from_guid: u64,
    /// Length of the stream.
    pub bytes: u64,
    /// How long it took.
    pub seconds: u64,
    /// Whether the pool would not keep the record of it.
    pub unrecorded: bool,
}

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
