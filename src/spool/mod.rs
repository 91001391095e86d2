//! Packets on disk: `SPOOL/ID/rx` holds packets from neighbour `ID`, `SPOOL/ID/tx` packets for it.
//!
//! Readers never see a partial packet: it is a [`Pending`] under `tmp/` until it is committed under
//! its hash, and then a [`Job`] until it is [retired](Spool::retire). Writers need no lock. The
//! layout, the locks and the order of operations are the reference's, so that both can use one spool
//! at the same time.

mod area;
mod aside;
mod check;
mod create;
mod devices;
mod group;
mod hdr;
mod jobs;
mod layout;
mod lock;
mod marks;
mod naming;
mod parts;
mod pending;
mod present;
mod records;
mod retire;
mod retired;
mod space;
mod stale;
mod stat;
pub(crate) mod sweep;
#[cfg(test)]
pub(crate) mod testing;
mod tmp;
pub(crate) mod unfinished;

pub(crate) use check::Checked;

pub(crate) use group::{Group, SETTLE, files_at_once, is_enough};
pub(crate) use jobs::{Job, Listing, NoPacket};
pub(crate) use layout::{LockKind, Suffix, Xx};
pub(crate) use lock::Lock;
pub(crate) use parts::{Held, Part, Whole};
pub(crate) use pending::{CommitError, Finished, Pending};
pub(crate) use present::{Damage, Obstacle, Present};
pub(crate) use records::{Growing, Replacement, read_at};
pub(crate) use retire::Seen;
pub(crate) use space::SpaceError;
pub(crate) use stat::Stat;
pub use stat::Totals;
pub(crate) use tmp::Batch;

use crate::disk::Disk;
use crate::disk::sharing::Shared;
use crate::log::Log;
use retired::Retired;
use std::path::PathBuf;
use std::sync::Arc;

/// A spool directory. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Spool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    hdr: bool,
    disk: Disk,
    shared: Option<Shared>,
    log: Log,
    retired: Retired,
}

/// Options of a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// Keep copies of headers under `hdr/`.
    pub hdr: bool,
    /// Wait for the disk. Off with `NNCPNOSYNC`.
    pub sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { hdr: true, sync: true }
    }
}

impl Spool {
    /// The spool at `root`, which need not exist yet. Logs its events to `log`.
    pub(crate) fn new(root: impl Into<PathBuf>, options: Options, log: Log) -> Self {
        let disk = Disk { sync: options.sync };
        let root = root.into();
        let shared = Shared::of(&root);
        Self(Arc::new(Inner {
            root,
            hdr: options.hdr,
            disk,
            shared,
            log,
            retired: Retired::default(),
        }))
    }

    /// The disk, for callers that write files outside the spool by the same rules.
    pub(crate) fn disk(&self) -> Disk {
        self.0.disk
    }

    /// The log of its events.
    pub(crate) fn log(&self) -> &Log {
        &self.0.log
    }
}
