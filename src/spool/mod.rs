//! Packets on disk: `SPOOL/ID/rx` came from neighbour `ID`, `SPOOL/ID/tx` wait to go to it.
//!
//! Nothing half-done is visible: a packet is a [`Pending`] under `tmp/` until it is committed under
//! its hash, and a [`Job`] from then on until it is [retired](Spool::retire). Writers need no lock.
//! The layout, the locks and the order of operations are the reference's: both may work on one
//! spool at the same time.

mod area;
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
pub(crate) use retire::Seen;
pub(crate) use space::SpaceError;
pub(crate) use stat::Stat;
pub use stat::Totals;
pub(crate) use tmp::Batch;

use crate::disk::Disk;
use crate::disk::sharing::Shared;
use crate::log::Log;
use retired::Retired;
use std::{path::PathBuf, sync::Arc};

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

/// How a spool is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whether copies of headers are kept under `hdr/`.
    pub hdr: bool,
    /// Whether to wait for the disk; off with `NNCPNOSYNC`.
    pub sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { hdr: true, sync: true }
    }
}

impl Spool {
    /// The spool at `root`, which need not exist yet. Its events go to `log`.
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

    /// The disk under it, for whoever makes files elsewhere durable by the same rules.
    pub(crate) fn disk(&self) -> Disk {
        self.0.disk
    }

    /// Where its events go.
    pub(crate) fn log(&self) -> &Log {
        &self.0.log
    }
}
