//! One run: what is to be sent is listed, snapshotted, sent from its base, and marked.

use super::super::command::{Zfs, ZfsError};
use super::super::lock::{Lock, Locks};
use super::super::name::{Dataset, check_snapshot};
use super::super::pool::{Depth, Dialect, More, Snapshot, State, View};
use super::base::{MADE, Source};
use super::choose::PROPERTIES;
use super::stream::{Expected, Stream};
use super::{Flow, Mark, Marks, Naming, Queue, Role, SendError, SetName};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
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

/// What was done for one dataset and destination.
#[derive(Debug)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// The destination; empty where none was reached.
    pub destination: String,
    /// What became of it; `None` when there was nothing to do.
    pub result: Result<Option<Sent>, SendError>,
}

impl Report {
    /// A dataset that went nowhere.
    pub(super) fn stays(dataset: impl fmt::Display, error: SendError) -> Self {
        Self { dataset: dataset.to_string(), destination: String::new(), result: Err(error) }
    }

    /// A snapshot that is not there any more.
    fn gone(dataset: &Dataset, destination: &str) -> Self {
        let result = Err(SendError::NoSnapshot(dataset.to_string()));
        Self { destination: destination.to_owned(), dataset: dataset.to_string(), result }
    }
}

/// A snapshot that is to be sent, and its dataset as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) state: &'a State,
    pub(super) snapshot: &'a Snapshot,
}

/// A stream that was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The snapshot, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    pub to_guid: u64,
    /// The base's guid; 0 for a full stream.
    pub from_guid: u64,
    /// Length of the stream.
    pub bytes: u64,
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
        let before = self.view(root)?;
        let (datasets, mut reports) = self.listed(root, &before)?;
        let wanted: Vec<_> =
            datasets.into_iter().filter(|name| !self.is_unchanged(&before, name)).collect();
        if wanted.is_empty() {
            return Ok(reports);
        }
        let snapshot = self.options.naming.name(&self.options.set, &jiff::ZonedDateTime::now());
        check_snapshot(&snapshot)?;
        reports.extend(self.snapshot(root, &wanted, &before, &snapshot)?);
        let view = self.view(root)?;
        for dataset in &wanted {
            let done = match view.dataset(dataset) {
                Some(state) => self.catch_up(dataset, state, &snapshot, queue, &mut reports),
                None => Err(absent(dataset)),
            };
            let done = done.and_then(|()| self.retain(dataset));
            reports.extend(done.err().map(|error| Report::stays(dataset, error)));
        }
        Ok(reports)
    }

    /// Sends every snapshot of the set since what was sent, step by step. A run that was killed
    /// between queueing a step and marking it left a snapshot without a mark: sent again as the
    /// same step it is a duplicate, while a new step around it would fork the chain.
    fn catch_up(
        &self,
        dataset: &Dataset,
        state: &State,
        newest: &str,
        queue: &Queue<'_>,
        reports: &mut Vec<Report>,
    ) -> Result<(), SendError> {
        let starts = self.marks.values().filter_map(|marks| {
            let pending = || Some(marks.pending(state)?.createtxg.saturating_sub(1));
            marks.newest(state, Role::Sent).map(|sent| sent.createtxg).or_else(pending)
        });
        let oldest = starts.min();
        let unsent = state.snapshots.iter().filter(|snapshot| {
            snapshot.name == newest
                || self.options.naming.is_of(&self.options.set, &snapshot.name)
                    && oldest.is_some_and(|sent| snapshot.createtxg > sent)
        });
        // Who failed one step gets no later one: the failed one may have been queued by a run before.
        let mut open: BTreeSet<_> = self.marks.keys().cloned().collect();
        for snapshot in unsent {
            // The step before has moved the marks.
            let state = &self.look(dataset)?;
            let is_newest = snapshot.name == newest;
            let due = |name: &&String| is_due(&self.marks[*name], state, snapshot, is_newest);
            let due: Vec<_> = open.iter().filter(due).cloned().collect();
            let step = match state.snapshots.iter().find(|other| other.name == snapshot.name) {
                Some(snapshot) => {
                    self.send_step(Step { dataset, state, snapshot }, &Source::Sent, &due, queue)
                }
                None => due.iter().map(|name| Report::gone(dataset, name)).collect(),
            };
            for failed in step.iter().filter(|report| report.result.is_err()) {
                open.remove(&failed.destination);
            }
            reports.extend(step);
        }
        Ok(())
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
                None => {
                    let set = self.options.set.as_str().to_owned();
                    vec![Report::stays(&dataset, SendError::NoSnapshotOf(dataset.to_string(), set))]
                }
            });
        }
        Ok(reports)
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
        let of_snapshots = [&[MADE][..], &Role::ALL.map(Role::property)].concat();
        let more = More { of_datasets: &PROPERTIES, of_snapshots: &of_snapshots };
        Ok(View::read(self.zfs, self.dialect, root, depth, more)?)
    }

    /// One instant for all datasets, where `zfs` can do that. When it can not, or one of them can
    /// have no snapshot, each gets its own. Gives those that have none.
    fn snapshot(
        &self,
        root: &Dataset,
        wanted: &[Dataset],
        view: &View,
        name: &str,
    ) -> Result<Vec<Report>, SendError> {
        let made = format!("{MADE}=on");
        let command = match self.options.naming {
            Naming::Packmule => vec!["snapshot"],
            // The name does not tell simplesnap's from ours.
            Naming::Simplesnap => vec!["snapshot", "-o", &made],
        };
        let ask = |words: &[&str]| self.zfs.ask(&[&command[..], words].concat());
        let names: Vec<_> = wanted.iter().map(|dataset| format!("{dataset}@{name}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let all = format!("{root}@{name}");
        let is_whole = wanted.len() == view.datasets().count() + view.unnamed().count();
        let together = match names.len() {
            1 => None,
            _ if is_whole => Some(ask(&["-r", &all])),
            _ => (self.dialect == Dialect::Open).then(|| ask(&names)),
        };
        match together {
            Some(Ok(_)) => return Ok(Vec::new()),
            None | Some(Err(ZfsError::Failed { .. })) => {}
            Some(Err(error)) => return Err(error.into()),
        }
        let mut without = Vec::new();
        for (dataset, name) in wanted.iter().zip(&names) {
            match ask(&[name]) {
                Ok(_) => {}
                Err(error @ ZfsError::Failed { .. }) if names.len() > 1 => {
                    without.push(Report::stays(dataset, error.into()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(without)
    }

    /// Sends one snapshot to every destination, with one `zfs send` for those with the same base.
    fn send_step(
        &self,
        step: Step<'_>,
        source: &Source,
        due: &[String],
        queue: &Queue<'_>,
    ) -> Vec<Report> {
        let mut results = Vec::new();
        let mut groups: BTreeMap<Option<Mark>, Vec<String>> = BTreeMap::new();
        for (name, marks) in self.marks.iter().filter(|(name, _)| due.contains(name)) {
            match self.base(step, marks, source) {
                // It is there.
                Ok(Some(base)) if base.guid == step.snapshot.guid => {
                    results.push((name.clone(), Ok(None)));
                }
                Ok(base) => groups.entry(base).or_default().push(name.clone()),
                Err(error) => results.push((name.clone(), Err(error))),
            }
        }
        for (base, destinations) in groups {
            results.extend(self.stream(step, base.as_ref(), &destinations, queue));
        }
        let dataset = step.dataset.to_string();
        let report =
            |(destination, result)| Report { dataset: dataset.clone(), destination, result };
        results.into_iter().map(report).collect()
    }

    fn stream(
        &self,
        step: Step<'_>,
        base: Option<&Mark>,
        destinations: &[String],
        queue: &Queue<'_>,
    ) -> Vec<(String, Result<Option<Sent>, SendError>)> {
        let Step { dataset, state, snapshot } = step;
        let from_guid = base.map_or(0, |base| base.guid);
        let chain = base.and_then(|base| base.chain);
        let expected = Expected { to_guid: snapshot.guid, from_guid, chain };
        let args = self.arguments(dataset, snapshot, base);
        let stream = Stream { zfs: self.zfs, args, dataset, expected, flow: &self.options.flow };
        let marked = match self.mark_pending(step, destinations) {
            Ok(marked) => marked,
            Err(error) => return for_all(destinations, error),
        };
        let (sent, queued) = match stream.send(destinations, queue) {
            Ok(sent) => sent,
            Err(error) => {
                // This run published nothing; a run before, which left its mark, perhaps did. What
                // can not be undone now only costs a longer chain.
                let _ = self.clear_pending(dataset, &marked, |guid| guid == snapshot.guid);
                return for_all(destinations, error);
            }
        };
        let finish = |(name, said): (String, Result<(), _>)| {
            let result = said.map_err(|error| SendError::Queue(name.clone(), error));
            let result = result.and_then(|()| {
                // Only now, when the packet is durably queued, does the base move.
                let mark = Mark { chain: Some(sent.chain), ..Mark::of_snapshot(snapshot) };
                self.marks[&name].set(self.zfs, dataset, state, &mark, Role::Sent)?;
                self.clear_pending(dataset, std::slice::from_ref(&name), |_| true)?;
                let (to_guid, snapshot) = (snapshot.guid, snapshot.name.clone());
                Ok(Some(Sent { snapshot, to_guid, from_guid, bytes: sent.bytes }))
            });
            (name, result)
        };
        queued.into_iter().map(finish).collect()
    }

    /// Marks the first snapshot of a chain before it is published. A run that is killed before the
    /// mark of what was sent would otherwise be followed by another first one, and a receiver
    /// takes only one. Gives the destinations for which it was not marked before.
    fn mark_pending(
        &self,
        Step { dataset, state, snapshot }: Step<'_>,
        destinations: &[String],
    ) -> Result<Vec<String>, SendError> {
        let mut marked = Vec::new();
        for name in destinations {
            let marks = &self.marks[name];
            if marks.newest(state, Role::Sent).is_none() {
                let mark = Mark::of_snapshot(snapshot);
                if marks.set(self.zfs, dataset, state, &mark, Role::Pending)? {
                    marked.push(name.clone());
                }
            }
        }
        Ok(marked)
    }

    /// Removes the marks of [`Job::mark_pending`] on snapshots with such guids.
    fn clear_pending(
        &self,
        dataset: &Dataset,
        destinations: &[String],
        which: impl Fn(u64) -> bool,
    ) -> Result<(), SendError> {
        let state = &self.look(dataset)?;
        for marks in destinations.iter().map(|name| &self.marks[name]) {
            marks.clear(self.zfs, dataset, state, Role::Pending, &which)?;
        }
        Ok(())
    }

    fn arguments(
        &self,
        dataset: &Dataset,
        snapshot: &Snapshot,
        base: Option<&Mark>,
    ) -> Vec<String> {
        let options = self.options;
        let flags = [
            (options.raw, "-w"),
            (options.compressed, "-c"),
            (options.large_blocks, "-L"),
            (options.embedded, "-e"),
        ];
        let known = self.dialect == Dialect::Open;
        let flags = flags.iter().filter(|(wanted, _)| *wanted && known);
        let mut args = vec!["send".to_owned()];
        args.extend(flags.map(|(_, flag)| (*flag).to_owned()));
        if let Some(base) = base {
            args.extend(["-i".to_owned(), format!("{dataset}{}", base.base)]);
        }
        args.push(format!("{dataset}@{}", snapshot.name));
        args
    }
}

pub(super) fn absent(dataset: &Dataset) -> SendError {
    SendError::NoDataset(dataset.to_string())
}

/// Whether a snapshot is the next one for a destination.
fn is_due(marks: &Marks, state: &State, snapshot: &Snapshot, is_newest: bool) -> bool {
    match (marks.newest(state, Role::Sent), marks.pending(state)) {
        (Some(sent), _) => sent.createtxg < snapshot.createtxg,
        (None, Some(pending)) => pending.guid == snapshot.guid,
        (None, None) => is_newest,
    }
}

/// One failure, told for each destination.
fn for_all(
    destinations: &[String],
    error: SendError,
) -> Vec<(String, Result<Option<Sent>, SendError>)> {
    let text = error.to_string();
    let mut first = Some(error);
    let each = |name: &String| {
        let error = first.take();
        let error = error.unwrap_or_else(|| SendError::Queue(name.clone(), text.clone().into()));
        (name.clone(), Err(error))
    };
    destinations.iter().map(each).collect()
}
