//! Why reading a stream ends early.

use super::super::command::ZfsError;
use super::super::outcome::Outcome;
use super::super::reason::Refusal;
use super::super::stream::Fault;
use super::error::ReceiveError;

/// Why reading a stream ends early.
pub(super) enum Stop {
    Fault(Fault),
    Input(ReceiveError),
    Zfs(ZfsError),
    /// Skip this plain stream. The rest of the stream is still checked.
    Left(Outcome),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Left(Outcome::Reject(refusal))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ZfsError> for Stop {
    fn from(error: ZfsError) -> Self {
        Self::Zfs(error)
    }
}
