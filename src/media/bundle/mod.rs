//! Bundles: packets as a tar stream, for tapes, discs and pipes. NNCP manual, "nncp-bundle".
//!
//! `tx` writes packets. `rx` stores packets for us, and `recording` removes packets from the spool
//! that are safely on a medium. Both read any stream in which [`search`] finds packets.

mod entry;
mod header;
mod recording;
mod rx;
pub(crate) mod search;
#[cfg(test)]
mod tests;
mod tx;

pub use rx::ReceiveError;
pub use tx::SendError;

use super::Options;
use crate::local::Local;

/// Transfers packets between the spool and streams.
#[derive(Clone, Copy)]
pub struct Bundle<'a> {
    /// This node.
    pub local: &'a Local,
    /// Options of the transfer.
    pub options: Options<'a>,
    /// Write the header copy of a stored packet at once, not at the first listing. The reference
    /// writes none with `-check`.
    pub hdr: bool,
    /// Report what would be stored or removed, and change nothing.
    pub dry_run: bool,
}
