//! What was read of a journal: the names of its newest segment, and the files of older ones.

use packmule_protocol::id::PacketHash;
use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;

/// What was read of one partner's journal.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) tail: Option<Tail>,
    pub(super) done: Done,
}

/// The newest segment, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The number of its first receipt.
    pub(super) first: u64,
    pub(super) lines: u64,
    /// Bytes of whole lines.
    pub(super) len: u64,
    /// Packets that are done.
    pub(super) done: HashSet<PacketHash>,
}

/// The sorted files of one partner, open, the newest first.
#[derive(Debug, Default)]
pub(super) struct Done(pub(super) Vec<Sorted>);

/// One of them.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) number: u64,
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// How many names it has.
    pub(super) names: u64,
}
