//! Bundles: packets as a tar stream, for tapes, discs and pipes. NNCP manual, "nncp-bundle".
//!
//! `tx` writes packets; `rx` takes those that are for us, and `recording` removes those that
//! are safely on a medium, from any stream that [`search`] finds entries in.

mod entry;
mod header;
mod recording;
mod rx;
pub mod search;
#[cfg(test)]
mod tests;
mod tx;

pub use rx::ReceiveError;
pub use tx::SendError;

use crate::config::Neighbour;
use crate::local::Local;
use packmule_protocol::niceness::Niceness;

/// What is done with packets.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Packets above this niceness are passed over.
    pub nice: Niceness,
    /// Written packets are removed from the spool.
    pub delete: bool,
    /// Packets that are taken get a copy of their header at once, not with the first listing. The
    /// reference makes none with `-check`.
    pub hdr: bool,
    /// Say what would be done, and do none of it.
    pub dry_run: bool,
    /// Packets to or from these only. Receiving: none at all means everybody.
    pub nodes: &'a [&'a Neighbour],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { nice: Niceness::MAX, delete: false, hdr: true, dry_run: false, nodes: &[] }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets written, taken (so that they are in the spool, durably) or removed.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of the packets that the spool had already, and good.
    pub there: u64,
    /// Those of the packets that were removed from the spool, or would be: they are on the recording.
    pub removed: u64,
    /// Packets that were passed over: for others, tossed before, gone from the spool, or too nice.
    pub skipped: u64,
    /// Packets that something was wrong with. It was logged.
    pub failed: u64,
}

/// The stream broke off, or the disk did.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Broken<E: std::error::Error + 'static> {
    /// What was done by then, and stays done.
    pub done: Report,
    /// Why no more was.
    #[source]
    pub cause: E,
}

/// Packets of the spool and of streams.
#[derive(Clone, Copy)]
pub struct Bundle<'a> {
    /// This node.
    pub local: &'a Local,
    /// What to do.
    pub options: Options<'a>,
}
