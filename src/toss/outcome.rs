//! What becomes of one packet: it goes, or it stays.

use super::options::Toss;
use crate::blocks::ReadError;
use crate::disk::confined::Temporary;
use crate::log::Record;
use crate::log::event::{Rx, RxFault};
use packmule_protocol::packet::PlainError;

/// The packet's effect is durable, and it can go.
#[derive(Default)]
pub(super) struct Effect {
    /// It leaves no mark even if marks are asked for: area messages have marks of their own.
    pub(super) unmarked: bool,
    /// The file that was delivered, which tells its packet until that is gone.
    pub(super) delivered: Option<Temporary>,
}

/// Why a packet stays. It was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// It was left alone, as the options say.
    Skipped,
    /// It waits for something and will be tried again.
    Deferred,
    /// It waits for a person to act, which is told as a failure.
    Blocked,
    /// Something is wrong with it.
    Failed,
    /// A builtin looked at it, and says later when its turn is.
    Waiting,
}

/// What the file of a kind answers.
pub(super) type Acted = Result<Effect, Stays>;

impl Toss<'_> {
    /// Logs why a packet can not be read.
    pub(super) fn unreadable(&self, rx: &Rx<'_>, error: &ReadError) -> Stays {
        let fault = match error {
            ReadError::Plain(PlainError::UnknownKind(_)) => RxFault::TypeUnknown,
            _ => RxFault::Unmarshal,
        };
        failed(self, rx.fault(fault), error)
    }
}

/// Logs a failure.
pub(super) fn failed(toss: &Toss<'_>, record: Record, error: &dyn std::fmt::Display) -> Stays {
    toss.local.log.error(record, error);
    Stays::Failed
}
