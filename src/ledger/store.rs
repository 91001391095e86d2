//! The ledger as a whole: where it is, and what can go wrong with it.

use super::layout::Layout;
use super::recent::Read;
use crate::disk::{self, DiskError};
use crate::random::NoRandomness;
use crate::spool::Spool;
use packmule_protocol::id::NodeId;
use packmule_protocol::statement::{RECEIPTS_MAX, StatementError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The ledger of a spool. It is created by the first thing that is written.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(super) spool: Spool,
    pub(super) layout: Layout,
    pub(super) limits: Limits,
    /// What was read of journals, for the next who asks.
    pub(super) read: Arc<Mutex<HashMap<NodeId, Read>>>,
}

/// How much is kept. Tests keep less, to reach the limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Receipts in a segment of a journal, and names of packets in memory.
    pub(super) segment: usize,
    /// Segments of a journal: 100,000 receipts, about. Beyond that the oldest go: their packets are
    /// offered again, recognised, and get another receipt.
    pub(super) segments: usize,
    /// Receipts in a statement.
    pub(super) receipts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segment: 4096, segments: 25, receipts: RECEIPTS_MAX }
    }
}

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No randomness for a new ledger's name.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A file of the ledger has content that packmule did not write.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What the partner sent is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// A result of the ledger.
pub(crate) type Result<T> = std::result::Result<T, LedgerError>;

impl Ledger {
    /// The ledger of `spool`. Nothing is created.
    pub(crate) fn new(spool: &Spool) -> Self {
        Self::with(spool, Limits::default())
    }

    pub(super) fn with(spool: &Spool, limits: Limits) -> Self {
        let layout = Layout::new(spool);
        Self { layout, spool: spool.clone(), limits, read: Arc::default() }
    }

    /// The nodes that packets are followed to.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn destinations(&self) -> Result<Vec<NodeId>> {
        nodes(&self.layout.backups())
    }

    /// The nodes that sent us statements.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn partners(&self) -> Result<Vec<NodeId>> {
        nodes(&self.layout.from())
    }

    /// Whether anything was ever written to it.
    pub(crate) fn exists(&self) -> bool {
        self.layout.exists()
    }
}

/// The nodes that have a directory in `dir`.
fn nodes(dir: &Path) -> Result<Vec<NodeId>> {
    let name = |path: &PathBuf| NodeId::from_file_name(path.file_name()?.to_str()?);
    let mut nodes: Vec<_> =
        disk::entries(dir, |kind| kind.is_dir())?.iter().filter_map(name).collect();
    nodes.sort_unstable();
    Ok(nodes)
}
