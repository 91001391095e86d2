//! What is wrong with a payload that is no usable statement.

use super::value::{PAYLOAD_MAX, VERSION};

/// The payload is not a statement that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// More than [`PAYLOAD_MAX`].
    #[error("statement has {0} bytes, at most {PAYLOAD_MAX} are read")]
    TooLong(usize),
    /// A later version: believe nothing of it.
    #[error("statement of version {0}: this program reads version {VERSION}")]
    Newer(u64),
    /// A line that is too long, not JSON, or has a wrong value.
    #[error("line {number} of the statement: {reason}")]
    Line {
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// Too many of a kind.
    #[error("statement has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read.
        most: usize,
    },
}
