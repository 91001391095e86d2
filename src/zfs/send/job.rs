//! One run: what is to be sent is listed, snapshotted, sent from its base, and marked.

use super::super::command::Zfs;
use super::super::lock::{Lock, Locks};
use super::super::name::{Dataset, check_snapshot, word};
use super::super::pool::{APPLIED, Depth, Dialect, More, Snapshot, State, View};
use super::base::{MADE, Source};
use super::choose::{PROPERTIES, Wanted};
use super::snapshot::UNSENT;
use super::step::Step;
use super::{Flow, Marks, Naming, Queue, Report, Role, SendError, SetName};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a set is sent.
#[derive(Debug, Clone)]
pub struct Options {
    /// The set.
    pub set: SetName,
    /// How its snapshots are named.
    pub naming: Naming,
    /// Children too.
    pub recursive: bool,
    /// `-w`: encrypted as on disk.
    pub raw: bool,
    /// `-c`: blocks as they are compressed on disk.
    pub compressed: bool,
    /// `-L`: blocks over 128 KiB.
    pub large_blocks: bool,
    /// `-e`: blocks that live in their pointers.
    pub embedded: bool,
    /// Nothing is sent when nothing was written, where `zfs` can tell.
    pub skip_unchanged: bool,
    /// How many of the set's snapshots stay; `None` is all.
    pub keep: Option<usize>,
    /// How long marks of what was sent stay.
    pub keep_marks: Duration,
    /// How streams are packed on their way.
    pub flow: Flow,
    /// Sets that send into other places than this one does, even at the same destination.
    pub apart: Vec<SetName>,
    /// Datasets in which packets of this node wait. They are not sent.
    pub spool: BTreeSet<String>,
}

/// A run for one set and its destinations.
#[derive(Debug)]
pub struct Job<'a> {
    pub(super) zfs: &'a Zfs,
    pub(super) dialect: Dialect,
    pub(super) options: &'a Options,
    pub(super) marks: BTreeMap<String, Marks>,
    _lock: Lock,
}

impl<'a> Job<'a> {
    /// A run for these destinations, alone on this machine in its set.
    ///
    /// # Errors
    /// When another run of the set is at work, or an option asks for what `zfs` can not do.
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

    /// Whether `zfs` can tell what was written, on which [`Options::skip_unchanged`] depends.
    pub fn knows_written(&self) -> bool {
        self.dialect == Dialect::Open
    }

    /// Makes a snapshot of each dataset and sends it from what was sent before. A dataset that
    /// fails does not stop the others.
    ///
    /// # Errors
    /// When nothing can be listed or snapshotted.
    pub fn send(&self, root: &Dataset, queue: &Queue<'_>) -> Result<Vec<Report>, SendError> {
        self.send_from(root, &Source::Sent, queue)
    }

    /// As [`Job::send`], from another base: a person knows what the destination has.
    ///
    /// # Errors
    /// As there.
    pub fn send_from(
        &self,
        root: &Dataset,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Result<Vec<Report>, SendError> {
        let before = self.view(root)?;
        let (datasets, mut reports) = self.listed(root, &before)?;
        let wanted = datasets.into_iter();
        let wanted: Vec<_> = wanted
            .filter_map(|dataset| self.wanted(dataset, &before, from, &mut reports))
            .collect();
        if wanted.is_empty() {
            return Ok(reports);
        }
        let name = self.options.naming.name(&self.options.set, &jiff::ZonedDateTime::now());
        check_snapshot(&name)?;
        reports.extend(self.snapshot(root, &wanted, &before, &name)?);
        let view = self.view(root)?;
        for Wanted { dataset, to, .. } in &wanted {
            let done = match (view.dataset(dataset), from) {
                (None, _) => Err(absent(dataset)),
                (Some(state), Source::Sent) => {
                    self.catch_up(dataset, state, &name, to, queue, &mut reports)
                }
                (Some(state), from) => {
                    reports.extend(self.send_named(dataset, state, &name, from, queue));
                    Ok(())
                }
            };
            let done = done.and_then(|()| self.retain(dataset));
            reports.extend(done.err().map(|error| Report::stays(dataset, error)));
        }
        Ok(reports)
    }

    /// Sends a snapshot that exists already. None is made, and none is removed.
    ///
    /// # Errors
    /// When nothing can be listed, or that is no name.
    pub fn send_existing(
        &self,
        root: &Dataset,
        name: &str,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Result<Vec<Report>, SendError> {
        check_snapshot(name)?;
        let view = self.view(root)?;
        let (datasets, mut reports) = self.listed(root, &view)?;
        for dataset in datasets {
            let Some(state) = view.dataset(&dataset) else { continue };
            reports.extend(self.send_named(&dataset, state, name, from, queue));
        }
        Ok(reports)
    }

    fn send_named(
        &self,
        dataset: &Dataset,
        state: &State,
        name: &str,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Vec<Report> {
        let all: Vec<_> = self.marks.keys().cloned().collect();
        match state.snapshots.iter().find(|snapshot| snapshot.name == name) {
            Some(snapshot) => self.send_step(Step { dataset, state, snapshot }, from, &all, queue),
            None => {
                let error = SendError::NoSuchSnapshot(dataset.to_string(), name.to_owned());
                vec![Report::stays(dataset, error)]
            }
        }
    }

    /// Sends the newest snapshot of the set again, from this base: one increment that repairs a
    /// broken chain.
    ///
    /// # Errors
    /// When nothing can be listed.
    pub fn resend(
        &self,
        root: &Dataset,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Result<Vec<Report>, SendError> {
        let view = self.view(root)?;
        let all: Vec<_> = self.marks.keys().cloned().collect();
        let (datasets, mut reports) = self.listed(root, &view)?;
        for dataset in datasets {
            let ours = |s: &&Snapshot| self.options.naming.is_of(&self.options.set, &s.name);
            let state = view.dataset(&dataset);
            let newest = state.and_then(|state| {
                let snapshot = state.snapshots.iter().rev().find(ours)?;
                Some(Step { dataset: &dataset, state, snapshot })
            });
            reports.extend(match newest {
                Some(newest) => self.send_step(newest, from, &all, queue),
                None => vec![Report::stays(&dataset, self.no_snapshot(&dataset))],
            });
        }
        Ok(reports)
    }

    fn no_snapshot(&self, dataset: &Dataset) -> SendError {
        let set = self.options.set.as_str().to_owned();
        let send = self.command("send -from GUID", "NODE", dataset);
        SendError::NoSnapshotOf { dataset: dataset.to_string(), set, send }
    }

    /// A command for a person, in this set.
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

    /// What one dataset holds now.
    pub(super) fn look(&self, dataset: &Dataset) -> Result<State, SendError> {
        let view = self.read(dataset, Depth::One)?;
        view.dataset(dataset).cloned().ok_or_else(|| absent(dataset))
    }

    fn view(&self, root: &Dataset) -> Result<View, SendError> {
        self.read(root, if self.options.recursive { Depth::All } else { Depth::One })
    }

    fn read(&self, root: &Dataset, depth: Depth) -> Result<View, SendError> {
        let roles = Role::ALL.map(Role::property);
        let roles = if self.dialect == Dialect::Open { &[] } else { &roles[..] };
        let of_snapshots = [&[MADE, UNSENT, APPLIED][..], roles].concat();
        let more = More { of_datasets: &PROPERTIES, of_snapshots: &of_snapshots };
        Ok(View::read(self.zfs, self.dialect, root, depth, more)?)
    }
}

pub(super) fn absent(dataset: &Dataset) -> SendError {
    SendError::NoDataset(dataset.to_string())
}
