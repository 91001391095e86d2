//! A run for one set and its destinations: its options, and how it reads the pool.

use super::super::command::Zfs;
use super::super::dialect::Dialect;
use super::super::get::{Depth, More};
use super::super::lock::{Lock, Locks};
use super::super::name::{Dataset, word};
use super::super::pool::View;
use super::super::state::{APPLIED, State};
use super::error::SendError;
use super::marks::{Marks, Role};
use super::naming::{Naming, SetName};
use super::pack::Flow;
use super::properties::{MADE, OF_DATASETS, UNSENT};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a set is sent.
#[derive(Debug, Clone)]
pub struct Options {
    /// The set.
    pub set: SetName,
    /// How its snapshots are named.
    pub naming: Naming,
    /// Include children.
    pub recursive: bool,
    /// `-w`: blocks encrypted as on disk.
    pub raw: bool,
    /// `-c`: blocks compressed as on disk.
    pub compressed: bool,
    /// `-L`: blocks over 128 KiB.
    pub large_blocks: bool,
    /// `-e`: embedded-data blocks.
    pub embedded: bool,
    /// Skip a dataset to which nothing was written, if `zfs` reports that.
    pub skip_unchanged: bool,
    /// Number of the set's snapshots to keep; `None` keeps all.
    pub keep: Option<usize>,
    /// How long marks of what was sent are kept.
    pub keep_marks: Duration,
    /// How streams are packed.
    pub flow: Flow,
    /// Sets that this node sends into other datasets than this set, perhaps at the same
    /// destination.
    pub apart: Vec<SetName>,
    /// Datasets that contain the spool. They are not sent.
    pub spool: BTreeSet<String>,
}

/// A run for one set and its destinations.
#[derive(Debug)]
pub struct Run<'a> {
    pub(super) zfs: &'a Zfs,
    pub(super) dialect: Dialect,
    pub(super) options: &'a Options,
    pub(super) marks: BTreeMap<String, Marks>,
    _lock: Lock,
}

impl<'a> Run<'a> {
    /// A run for these destinations. Takes the set's lock on this machine.
    ///
    /// # Errors
    /// If another run of the set is active, or `zfs` does not support an option.
    pub fn new(
        zfs: &'a Zfs,
        options: &'a Options,
        destinations: &[String],
        locks: &Locks,
    ) -> Result<Self, SendError> {
        let set = &options.set;
        let lock = locks.take(&format!("send {}", set.as_str()))?;
        let lock = lock.ok_or_else(|| SendError::Busy(set.as_str().to_owned()))?;
        let dialect = Dialect::probe(zfs)?;
        if options.raw && dialect == Dialect::Fuse {
            return Err(SendError::Unsupported("raw streams"));
        }
        let marks = destinations
            .iter()
            .map(|name| Ok((name.clone(), Marks::new(dialect, set, name)?)))
            .collect::<Result<_, SendError>>()?;
        Ok(Self { zfs, dialect, options, marks, _lock: lock })
    }

    /// True if `zfs` reports `written`, which [`Options::skip_unchanged`] needs.
    pub fn knows_written(&self) -> bool {
        self.dialect == Dialect::Open
    }

    /// A command of this set that a person can copy.
    pub(super) fn command(&self, what: &str, destination: &str, dataset: &Dataset) -> String {
        let options = self.options;
        let mut more = String::new();
        if options.set.as_str() != "main" {
            more += &format!(" -set {}", options.set.as_str());
        }
        if options.naming == Naming::Simplesnap {
            more += " -naming simplesnap";
        }
        if options.raw {
            more += " -w";
        }
        format!("packmule zfs {what}{more} {destination} {}", word(dataset.as_str()))
    }

    /// The current state of one dataset.
    pub(super) fn read_state(&self, dataset: &Dataset) -> Result<State, SendError> {
        let view = self.read(dataset, Depth::One)?;
        view.dataset(dataset).cloned().ok_or_else(|| absent(dataset))
    }

    /// The current state of the datasets of the run.
    pub(super) fn view(&self, root: &Dataset) -> Result<View, SendError> {
        self.read(root, if self.options.recursive { Depth::All } else { Depth::One })
    }

    fn read(&self, root: &Dataset, depth: Depth) -> Result<View, SendError> {
        let roles = Role::ALL.map(Role::property);
        let roles = if self.dialect == Dialect::Open { &[] } else { &roles[..] };
        let of_snapshots = [&[MADE, UNSENT, APPLIED][..], roles].concat();
        let more = More { of_datasets: &OF_DATASETS, of_snapshots: &of_snapshots };
        Ok(View::read(self.zfs, self.dialect, root, depth, more)?)
    }
}

pub(super) fn absent(dataset: &Dataset) -> SendError {
    SendError::NoDataset(dataset.to_string())
}
