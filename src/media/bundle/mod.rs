//! Bundles: packets as a tar stream, for tapes, discs and pipes. NNCP manual, "nncp-bundle".
//!
//! `tx` writes packets; `rx` takes those that are for us, and `recording` removes those that
//! are safely on a medium, from any stream that [`search`] finds entries in.

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

/// Packets of the spool and of streams.
#[derive(Clone, Copy)]
pub struct Bundle<'a> {
    /// This node.
    pub local: &'a Local,
    /// What to do.
    pub options: Options<'a>,
    /// Packets that are taken get a copy of their header at once, not with the first listing. The
    /// reference makes none with `-check`.
    pub hdr: bool,
    /// Say what would be taken or removed, and do none of it.
    pub dry_run: bool,
}
