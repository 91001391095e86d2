//! Why a payload is not a valid statement.

use super::value::{PAYLOAD_MAX, VERSION};

/// Why a payload is not a valid statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is longer than [`PAYLOAD_MAX`].
    #[error("statement has {0} bytes, at most {PAYLOAD_MAX} are read")]
    TooLong(usize),
    /// It has a later version, so nothing in it can be relied on.
    #[error("statement of version {0}: this program reads version {VERSION}")]
    Newer(u64),
    /// A line is too long, is not JSON, or has a wrong value.
    #[error("line {number} of the statement: {reason}")]
    Line {
        /// Line number, from 1.
        number: usize,
        /// The error.
        reason: String,
    },
    /// A list is too long.
    #[error("statement has more than {most} {what}")]
    TooMany {
        /// The list.
        what: &'static str,
        /// Its limit.
        most: usize,
    },
}
