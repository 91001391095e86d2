//! What reassembly works with: the disk, the log, its options.

use crate::disk::Disk;
use crate::log::Log;
use crate::progress::Progress;

/// Options of reassembly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Only verify the chunks.
    pub dry_run: bool,
    /// Keep the chunks and the description.
    pub keep: bool,
}

/// Reassembles chunked files.
#[derive(Clone, Copy)]
pub(crate) struct Reass<'a> {
    /// The disk.
    pub disk: Disk,
    /// The log of events.
    pub log: &'a Log,
    /// Receives the progress.
    pub progress: &'a Progress,
    /// The options.
    pub options: Options,
}
