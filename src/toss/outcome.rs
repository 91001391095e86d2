//! The outcome of one packet: it is removed, or it stays.

use super::options::Toss;
use crate::blocks::ReadError;
use crate::disk::Temporary;
use crate::log::Record;
use crate::log::event::{Rx, RxFault};
use packmule_protocol::packet::PlainError;

/// The packet's effect is durable, so the packet can be removed.
#[derive(Default)]
pub(super) struct Effect {
    /// Write no mark even if the options ask for marks: area messages have marks of their own.
    pub(super) unmarked: bool,
    /// The delivered file. It carries the packet's name until the packet is removed.
    pub(super) delivered: Option<Temporary>,
}

/// Why a packet stays. The reason is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// The options skip it.
    Skipped,
    /// It waits for something and will be tried again.
    Deferred,
    /// It waits for a person to act, which is reported as a failure.
    Blocked,
    /// It failed.
    Failed,
    /// A builtin has read its header and will choose its turn.
    Waiting,
}

/// The outcome that the file of a kind returns.
pub(super) type Acted = Result<Effect, Stays>;

impl Toss<'_> {
    /// Logs why a packet cannot be read.
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
