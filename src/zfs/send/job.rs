//! One run: what is to be sent is listed, snapshotted, sent from its base, and marked.

use super::super::command::Zfs;
use super::super::lock::{Lock, Locks};
use super::super::name::{Dataset, check_snapshot};
use super::super::pool::{Depth, Dialect, Snapshot, State, View};
use super::marks::is_marked;
use super::stream::{self, Expected};
use super::{Flow, Marks, Naming, Queue, Role, SendError, SetName};
use std::collections::BTreeMap;
use std::time::Duration;

/// A dataset with one of these set to `on` is left out, with what is below it.
const EXCLUDE: [&str; 2] = ["packmule:exclude", "org.complete.simplesnap:exclude"];

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
    /// Nothing is sent when nothing was written.
    pub skip_unchanged: bool,
    /// How many of the set's snapshots stay; `None` is all.
    pub keep: Option<usize>,
    /// How long marks of what was sent stay.
    pub keep_marks: Duration,
    /// How streams are packed on their way.
    pub flow: Flow,
}

/// Where the base of a stream comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The newest snapshot that was sent.
    Sent,
    /// The newest snapshot that the destination said it holds.
    Confirmed,
    /// This one.
    Guid(u64),
    /// None: a full stream.
    Nothing,
}

/// A run for one set and its destinations.
#[derive(Debug)]
pub struct Job<'a> {
    zfs: &'a Zfs,
    dialect: Dialect,
    options: &'a Options,
    marks: BTreeMap<String, Marks>,
    _lock: Lock,
}

/// What was done for one dataset and destination.
#[derive(Debug)]
pub struct Report {
    /// The dataset.
    pub dataset: Dataset,
    /// The destination.
    pub destination: String,
    /// What became of it; `None` when there was nothing to do.
    pub result: Result<Option<Sent>, SendError>,
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

/// The base of a stream: how it is named, and its guid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Base {
    guid: u64,
    name: String,
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

    /// Makes a snapshot of each dataset and sends it from what was sent before. A dataset that
    /// fails does not stop the others.
    ///
    /// # Errors
    /// When nothing can be listed or snapshotted.
    pub fn send(&self, root: &Dataset, queue: &Queue<'_>) -> Result<Vec<Report>, SendError> {
        let before = self.view(root)?;
        let datasets = self.listed(root, &before)?;
        let wanted: Vec<_> =
            datasets.into_iter().filter(|name| !self.is_unchanged(&before, name)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.options.naming.name(&self.options.set, &jiff::ZonedDateTime::now());
        check_snapshot(&snapshot)?;
        self.snapshot(root, &wanted, &before, &snapshot)?;
        let view = self.view(root)?;
        let mut reports = Vec::new();
        for dataset in &wanted {
            let state = view.dataset(dataset).ok_or_else(|| absent(dataset))?;
            reports.extend(self.catch_up(dataset, state, &snapshot, queue)?);
            reports.extend(self.retain(dataset).err().map(|error| Report {
                dataset: dataset.clone(),
                destination: String::new(),
                result: Err(error),
            }));
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
    ) -> Result<Vec<Report>, SendError> {
        let sent = self.marks.values().filter_map(|marks| marks.newest(state, Role::Sent));
        let oldest = sent.map(|mark| mark.createtxg).min();
        let unsent = state.snapshots.iter().filter(|snapshot| {
            snapshot.name == newest
                || self.options.naming.is_of(&self.options.set, &snapshot.name)
                    && oldest.is_some_and(|sent| snapshot.createtxg > sent)
        });
        let mut reports = Vec::new();
        for snapshot in unsent {
            // The step before has moved the marks.
            let view = self.view(dataset)?;
            let state = view.dataset(dataset).ok_or_else(|| absent(dataset))?;
            let is_due = |marks: &Marks| match marks.newest(state, Role::Sent) {
                Some(mark) => mark.createtxg < snapshot.createtxg,
                None => snapshot.name == newest,
            };
            let due: Vec<_> = self
                .marks
                .iter()
                .filter(|(_, marks)| is_due(marks))
                .map(|(n, _)| n.clone())
                .collect();
            reports.extend(self.send_one(
                dataset,
                state,
                &snapshot.name,
                &Source::Sent,
                &due,
                queue,
            ));
        }
        Ok(reports)
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
        let mut reports = Vec::new();
        for dataset in self.listed(root, &view)? {
            let state = view.dataset(&dataset).ok_or_else(|| absent(&dataset))?;
            let ours = |s: &&Snapshot| self.options.naming.is_of(&self.options.set, &s.name);
            let Some(newest) = state.snapshots.iter().rev().find(ours) else {
                return Err(SendError::NoSnapshot(dataset.to_string()));
            };
            let all: Vec<_> = self.marks.keys().cloned().collect();
            reports.extend(self.send_one(&dataset, state, &newest.name, from, &all, queue));
        }
        Ok(reports)
    }

    /// Notes that a destination said it holds a snapshot.
    ///
    /// # Errors
    /// When the dataset has no such snapshot, or `zfs` fails.
    pub fn confirm(
        &self,
        dataset: &Dataset,
        destination: &str,
        guid: u64,
    ) -> Result<(), SendError> {
        let view = self.view(dataset)?;
        let state = view.dataset(dataset).ok_or_else(|| absent(dataset))?;
        let marks = self.marks.get(destination);
        let marks = marks.ok_or_else(|| SendError::Destination(destination.to_owned()))?;
        let no_base = || SendError::NoBase(dataset.to_string(), guid.to_string());
        let snapshot = state.snapshot(guid).ok_or_else(no_base)?;
        marks.set(self.zfs, dataset, state, snapshot, Role::Confirmed)?;
        Ok(())
    }

    fn view(&self, root: &Dataset) -> Result<View, SendError> {
        let depth = if self.options.recursive { Depth::All } else { Depth::One };
        let user = [EXCLUDE[0], EXCLUDE[1], Role::Sent.property(), Role::Confirmed.property()];
        Ok(View::read(self.zfs, self.dialect, root, depth, &user)?)
    }

    /// The datasets to send, parents first.
    fn listed(&self, root: &Dataset, view: &View) -> Result<Vec<Dataset>, SendError> {
        if view.dataset(root).is_none() {
            return Err(absent(root));
        }
        let excluded = |state: &State| {
            EXCLUDE.iter().any(|name| state.properties.get(*name).is_some_and(|v| v == "on"))
        };
        let wanted = view
            .datasets()
            .filter(|(name, state)| (*name == root || self.options.recursive) && !excluded(state));
        let mut names: Vec<_> = wanted.map(|(name, _)| name.clone()).collect();
        names.sort_by_key(Dataset::depth);
        Ok(names)
    }

    fn is_unchanged(&self, view: &View, dataset: &Dataset) -> bool {
        let Some(state) = view.dataset(dataset).filter(|_| self.options.skip_unchanged) else {
            return false;
        };
        let newest = state.newest().map(|newest| newest.guid);
        state.written == Some(0)
            && self.marks.values().all(|marks| {
                marks.newest(state, Role::Sent).is_some_and(|mark| Some(mark.guid) == newest)
            })
    }

    /// One instant for all datasets, where `zfs` can do that.
    fn snapshot(
        &self,
        root: &Dataset,
        wanted: &[Dataset],
        view: &View,
        name: &str,
    ) -> Result<(), SendError> {
        if wanted.len() > 1 && wanted.len() == view.datasets().count() {
            self.zfs.ask(&["snapshot", "-r", &format!("{root}@{name}")])?;
            return Ok(());
        }
        let names: Vec<_> = wanted.iter().map(|dataset| format!("{dataset}@{name}")).collect();
        let at_once = if self.dialect == Dialect::Open { names.len() } else { 1 };
        for group in names.chunks(at_once.max(1)) {
            let args: Vec<_> =
                std::iter::once("snapshot").chain(group.iter().map(String::as_str)).collect();
            self.zfs.ask(&args)?;
        }
        Ok(())
    }

    /// Sends one snapshot to every destination, with one `zfs send` for those with the same base.
    fn send_one(
        &self,
        dataset: &Dataset,
        state: &State,
        snapshot: &str,
        source: &Source,
        due: &[String],
        queue: &Queue<'_>,
    ) -> Vec<Report> {
        let mut reports = Vec::new();
        let mut report = |destination: &String, result| {
            reports.push(Report {
                dataset: dataset.clone(),
                destination: destination.clone(),
                result,
            });
        };
        let Some(snapshot) = state.snapshots.iter().find(|other| other.name == snapshot) else {
            for name in due {
                report(name, Err(SendError::NoSnapshot(dataset.to_string())));
            }
            return reports;
        };
        let mut groups: BTreeMap<Option<Base>, Vec<String>> = BTreeMap::new();
        for (name, marks) in self.marks.iter().filter(|(name, _)| due.contains(name)) {
            match self.base(dataset, state, marks, source, snapshot) {
                Ok(base) => groups.entry(base).or_default().push(name.clone()),
                Err(error) => report(name, Err(error)),
            }
        }
        for (base, destinations) in groups {
            for (name, result) in
                self.stream(dataset, state, snapshot, base.as_ref(), &destinations, queue)
            {
                report(&name, result);
            }
        }
        reports
    }

    fn base(
        &self,
        dataset: &Dataset,
        state: &State,
        marks: &Marks,
        source: &Source,
        snapshot: &Snapshot,
    ) -> Result<Option<Base>, SendError> {
        let no_base = |what: &str| SendError::NoBase(dataset.to_string(), what.to_owned());
        let as_base = |mark: super::Mark| Base { guid: mark.guid, name: mark.base };
        match source {
            Source::Nothing => Ok(None),
            Source::Sent => {
                let mark = marks.newest(state, Role::Sent).map(as_base);
                Ok(mark.or_else(|| self.adopted(state, snapshot)).map(|base| prefer(state, base)))
            }
            Source::Confirmed => {
                let mark = marks.newest(state, Role::Confirmed).map(as_base);
                mark.map(|base| Some(prefer(state, base))).ok_or_else(|| no_base("last applied"))
            }
            Source::Guid(guid) => {
                let named = |sign: char, of: &Snapshot| Base {
                    guid: *guid,
                    name: format!("{sign}{}", of.name),
                };
                let bookmark = state.bookmarks.iter().find(|mark| mark.guid == *guid);
                let found = state.snapshot(*guid).map(|s| named('@', s));
                let found = found.or_else(|| bookmark.map(|mark| named('#', mark)));
                found.map(Some).ok_or_else(|| no_base(&guid.to_string()))
            }
        }
    }

    /// The base of a chain that simplesnap began: its oldest snapshot, else its oldest bookmark.
    fn adopted(&self, state: &State, new: &Snapshot) -> Option<Base> {
        if self.options.naming != Naming::Simplesnap {
            return None;
        }
        let ours = |other: &&Snapshot| {
            other.guid != new.guid && self.options.naming.is_of(&self.options.set, &other.name)
        };
        let base = |sign: char| {
            move |of: &Snapshot| Base { guid: of.guid, name: format!("{sign}{}", of.name) }
        };
        let snapshot = state.snapshots.iter().find(ours).map(base('@'));
        snapshot.or_else(|| state.bookmarks.iter().find(ours).map(base('#')))
    }

    fn stream(
        &self,
        dataset: &Dataset,
        state: &State,
        snapshot: &Snapshot,
        base: Option<&Base>,
        destinations: &[String],
        queue: &Queue<'_>,
    ) -> Vec<(String, Result<Option<Sent>, SendError>)> {
        let from_guid = base.map_or(0, |base| base.guid);
        let expected = Expected { to_guid: snapshot.guid, from_guid };
        let args = self.arguments(dataset, snapshot, base);
        let flow = &self.options.flow;
        let sent = stream::send(self.zfs, &args, expected, flow, dataset, destinations, queue);
        let (bytes, queued) = match sent {
            Ok(sent) => sent,
            Err(error) => return for_all(destinations, error),
        };
        let finish = |(name, said): (String, Result<(), _>)| {
            let result =
                said.map_err(|error| SendError::Queue(name.clone(), error)).and_then(|()| {
                    // Only now, when the packet is durably queued, does the base move.
                    self.marks[&name].set(self.zfs, dataset, state, snapshot, Role::Sent)?;
                    let (to_guid, snapshot) = (snapshot.guid, snapshot.name.clone());
                    Ok(Some(Sent { snapshot, to_guid, from_guid, bytes }))
                });
            (name, result)
        };
        queued.into_iter().map(finish).collect()
    }

    fn arguments(
        &self,
        dataset: &Dataset,
        snapshot: &Snapshot,
        base: Option<&Base>,
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
            args.extend(["-i".to_owned(), format!("{dataset}{}", base.name)]);
        }
        args.push(format!("{dataset}@{}", snapshot.name));
        args
    }

    /// Removes what the policy no longer keeps: never a base, never another tool's snapshot.
    fn retain(&self, dataset: &Dataset) -> Result<(), SendError> {
        let mut view = View::default();
        view.update(dataset, &self.view(dataset)?);
        let state = view.dataset(dataset).ok_or_else(|| absent(dataset))?;
        let now = jiff::Timestamp::now().as_second();
        let oldest = u64::try_from(now).unwrap_or_default();
        let oldest = oldest.saturating_sub(self.options.keep_marks.as_secs());
        for marks in self.marks.values() {
            for role in [Role::Sent, Role::Confirmed] {
                marks.prune(self.zfs, dataset, state, role, oldest)?;
            }
        }
        let Some(keep) = self.options.keep else { return Ok(()) };
        view.update(dataset, &self.view(dataset)?);
        let state = view.dataset(dataset).ok_or_else(|| absent(dataset))?;
        let ours = |s: &&Snapshot| self.options.naming.is_of(&self.options.set, &s.name);
        for old in state.snapshots.iter().rev().filter(ours).skip(keep.max(1)) {
            if self.is_needed(state, old) {
                continue;
            }
            self.zfs.ask(&["destroy", &format!("{dataset}@{}", old.name)])?;
        }
        Ok(())
    }

    /// Whether a snapshot is the base of a destination: marked itself, or not yet sent to all.
    fn is_needed(&self, state: &State, snapshot: &Snapshot) -> bool {
        is_marked(snapshot)
            || self.marks.values().any(|marks| {
                let sent = marks.newest(state, Role::Sent);
                sent.is_none_or(|sent| sent.createtxg < snapshot.createtxg)
            })
    }
}

/// A snapshot is a better base than its bookmark: every `zfs` can send from it.
fn prefer(state: &State, base: Base) -> Base {
    match state.snapshot(base.guid) {
        Some(snapshot) => Base { name: format!("@{}", snapshot.name), ..base },
        None => base,
    }
}

fn absent(dataset: &Dataset) -> SendError {
    SendError::NoDataset(dataset.to_string())
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
