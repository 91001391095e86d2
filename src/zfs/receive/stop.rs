//! Why the walk over a stream ends early.

use super::super::command::ZfsError;
use super::super::outcome::Outcome;
use super::super::reason::Refusal;
use super::super::stream::Fault;
use super::error::ReceiveError;

/// Why the walk over a stream ends early.
pub(super) enum Stop {
    Fault(Fault),
    Input(ReceiveError),
    Zfs(ZfsError),
    /// This plain stream is not to be received. What follows it is walked all the same.
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
