//! One go over all that waits: each stream's head is looked at, then they are applied base first
//! and parents before children, however they were shuffled on the way.

use super::super::decide::{Decision, Known, Offer, Refusal, Wait, decide};
use super::super::lock::Locks;
use super::super::name::{Dataset, word};
use super::super::pool::{Depth, Dialect, Missing, View};
use super::super::receipt::Receipt;
use super::super::stream::{Begin, Event, Fault, Walker};
use super::apply::answer;
use super::input::Input;
use super::links::Links;
use super::overview::Answered;
use super::settings::{RECEIVER, warnings};
use super::{Open, Outcome, Policy, ReceiveError};
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

const PIECE: usize = 4 << 10;

/// One go over all that waits for one sender's subtree.
#[derive(Debug)]
pub struct Session {
    pub(super) policy: Policy,
    pub(super) dialect: Dialect,
    pub(super) locks: Locks,
    /// What the pool holds, read once and kept up to date by what we do.
    pub(super) view: View,
    /// Placeholders that were made for the stream at hand, parents first.
    pub(super) made: Vec<Dataset>,
    /// Datasets that something came for which is there now, by their names on the sending side.
    pub(super) held: BTreeMap<Dataset, String>,
    pub(super) waiting: BTreeMap<usize, Waiting>,
    /// Everything that was looked at.
    links: Links,
    /// Which of what waits is next, as far as that is known: `None` when it is not its turn yet.
    ranks: BTreeMap<usize, Option<Rank>>,
    pub(super) answers: VecDeque<Answered>,
    warnings: Vec<String>,
    /// Set when the pool is not there: nothing can be done.
    pub(super) pool_missing: Option<String>,
    /// Streams can be read only once after the look at their heads.
    pub(super) reads_once: bool,
}

/// A stream that waits, by its head.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// Where its root dataset goes.
    pub(super) target: Dataset,
    /// Its root dataset on the sending side, when it is a package.
    pub(super) package: Option<String>,
    /// The dataset of the first stream, on the sending side.
    pub(super) named: String,
    /// The snapshot it makes, without the dataset's name.
    pub(super) snapshot: String,
    pub(super) offer: Offer,
    since: SystemTime,
}

/// What a session wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Apply this one.
    Apply(usize),
    /// This is what becomes of that one; nothing was run.
    Answer(usize, Outcome),
}

impl Session {
    /// Reads what the pool holds.
    ///
    /// # Errors
    /// When `zfs` can not be asked, or the root is not there although its pool is.
    pub fn new(policy: Policy, locks: Locks) -> Result<Self, ReceiveError> {
        let dialect = Dialect::probe(&policy.zfs)?;
        let view = View::read(&policy.zfs, dialect, &policy.into, Depth::All, RECEIVER)?;
        let pool_missing = match view.missing(&policy.zfs, &policy.into)? {
            None => None,
            Some(Missing::Pool(pool)) => Some(pool),
            Some(Missing::Dataset(root)) => return Err(ReceiveError::NoRoot(root.to_string())),
        };
        let warnings = warnings(&view, &policy.into);
        Ok(Self {
            warnings,
            policy,
            dialect,
            locks,
            view,
            made: Vec::new(),
            held: BTreeMap::new(),
            waiting: BTreeMap::new(),
            links: Links::default(),
            ranks: BTreeMap::new(),
            answers: VecDeque::new(),
            pool_missing,
            reads_once: false,
        })
    }

    /// Streams can be read only once after the look at their heads, so a package is not walked as
    /// a whole before its parts are applied.
    pub fn read_once(&mut self) {
        self.reads_once = true;
    }

    /// Looks at the head of a stream: the dataset its sender asks for, and since when it waits.
    pub fn add(&mut self, key: usize, asked: Option<&str>, since: SystemTime, open: &Open<'_>) {
        match self.look(asked, since, open) {
            Ok(waiting) => {
                self.links.add(key, &waiting.target, waiting.offer);
                self.waiting.insert(key, waiting);
                self.ranks.clear();
            }
            Err(Unfit { name, to_guid, outcome }) => {
                self.answers.push_back(Answered { key, name, to_guid, outcome: *outcome });
            }
        }
    }

    /// What to do next; `None` when everything was answered or applied.
    pub fn step(&mut self) -> Option<Step> {
        if let Some(Answered { key, outcome, .. }) = self.answers.pop_front() {
            return Some(Step::Answer(key, outcome));
        }
        if let Some(pool) = &self.pool_missing {
            let (key, _) = self.waiting.pop_first()?;
            return Some(Step::Answer(key, Outcome::Defer(Wait::Pool(pool.clone()))));
        }
        self.rank();
        let ready = self.ranks.iter().filter_map(|(key, rank)| Some((rank.as_ref()?, *key)));
        if let Some((_, key)) = ready.min() {
            return Some(Step::Apply(key));
        }
        let (key, waiting) = self.waiting.pop_first()?;
        self.ranks.remove(&key);
        let outcome = self.without_running(&waiting);
        if matches!(outcome, Outcome::Duplicate(_)) {
            self.record_late(&waiting.target, waiting.offer.to_guid);
            if waiting.package.is_none() {
                self.held.insert(waiting.target, waiting.named);
            }
        }
        Some(Step::Answer(key, outcome))
    }

    /// What a person should look at before this goes on.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The pool did not keep a record of what was applied: told once.
    pub(super) fn warn_unrecorded(&mut self) {
        let text = format!(
            "{}: zfs keeps no record of what was applied, which packmule zfs status reads: \
             zfs allow USER userprop {}",
            self.policy.into,
            word(self.policy.into.as_str())
        );
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// The handle at the sender for [`Session::receipts`].
    pub fn handle(&self) -> Option<&str> {
        self.policy.receipt.as_deref()
    }

    /// What is to be told to the sender: what is held of each dataset that something came for.
    pub fn receipts(&self) -> Vec<Receipt> {
        let receipt = |(target, named): (&Dataset, &String)| {
            let newest = self.view.dataset(target)?.newest_received()?;
            let (snapshot, guid) = (newest.name.clone(), newest.guid);
            Some(Receipt { dataset: named.clone(), snapshot, guid })
        };
        self.held.iter().filter_map(receipt).collect()
    }

    /// Whether a stream waits under this key.
    pub fn holds(&self, key: usize) -> bool {
        self.waiting.contains_key(&key)
    }

    /// Takes out the stream that is to be applied.
    pub(super) fn take(&mut self, key: usize) -> Option<Waiting> {
        let taken = self.waiting.remove(&key)?;
        // It may change its dataset, make those above it, and move those below it.
        let (target, waiting) = (&taken.target, &self.waiting);
        let is_near = |other: &Dataset| {
            other == target || other.below(target).is_some() || target.below(other).is_some()
        };
        self.ranks.retain(|key, _| waiting.get(key).is_some_and(|other| !is_near(&other.target)));
        Some(taken)
    }

    /// Ranks what waits and has no rank.
    fn rank(&mut self) {
        let unknown = self.waiting.iter().filter(|(key, _)| !self.ranks.contains_key(key));
        let ranks: Vec<_> = unknown
            .map(|(key, waiting)| (*key, self.is_ready(waiting).then(|| self.rank_of(waiting))))
            .collect();
        self.ranks.extend(ranks);
    }

    /// Parents first, what builds on what is there, what leads furthest, the oldest.
    fn rank_of(&self, waiting: &Waiting) -> Rank {
        let reach = Reverse(self.reach(waiting));
        (waiting.target.depth(), !self.is_direct(waiting), reach, waiting.offer.creation)
    }

    fn look(
        &self,
        asked: Option<&str>,
        since: SystemTime,
        open: &Open<'_>,
    ) -> Result<Waiting, Unfit> {
        let (package, begin) = head(open, &self.policy.decrypt).map_err(|outcome| Unfit {
            name: self.policy.name(asked, None),
            to_guid: None,
            outcome: Box::new(outcome),
        })?;
        let named = package.as_ref().unwrap_or(&begin);
        let unfit = |refusal| Unfit {
            name: self.policy.name(asked, Some(named)),
            to_guid: Some(begin.to_guid),
            outcome: Box::new(Outcome::Reject(refusal)),
        };
        if package.is_some() && !self.policy.allowed.package {
            return Err(unfit(Refusal::Kind("package")));
        }
        self.policy.check(&begin).map_err(unfit)?;
        let target = self.policy.target(asked, named).map_err(unfit)?;
        let package = package.map(|package| package.to_name.dataset().to_owned());
        let named = begin.to_name.dataset().to_owned();
        let snapshot = begin.to_name.snapshot().to_owned();
        Ok(Waiting { target, package, named, snapshot, offer: Offer::from(&*begin), since })
    }

    pub(super) fn is_ready(&self, waiting: &Waiting) -> bool {
        match self.decide(waiting) {
            Decision::Receive | Decision::ReceiveOver | Decision::ReceiveBeside => true,
            Decision::Defer(Wait::PartialState) => self.policy.drop_partial,
            // The first stream of a package tells nothing of the others.
            Decision::Duplicate | Decision::Superseded => waiting.package.is_some(),
            Decision::Defer(_) | Decision::Reject(_) => false,
        }
    }

    /// Whether nothing lies between a stream and its base. The others may turn out to be forks,
    /// so they are tried last.
    fn is_direct(&self, waiting: &Waiting) -> bool {
        let newest = self.view.dataset(&waiting.target).and_then(|state| state.newest());
        newest.is_none_or(|newest| newest.guid == waiting.offer.from_guid)
    }

    /// What becomes of a stream that nothing will be run for.
    pub(super) fn without_running(&self, waiting: &Waiting) -> Outcome {
        self.told(answer(self.decide(waiting)), waiting)
    }

    fn decide(&self, waiting: &Waiting) -> Decision {
        let Waiting { target, offer, .. } = waiting;
        let known = Known { passed: self.is_passed(offer, target), ..Known::default() };
        decide(offer, target, self.view.dataset(target), known)
    }

    /// Whether streams that were looked at lead from the snapshot that this one makes to one that
    /// is there.
    pub(super) fn is_passed(&self, offer: &Offer, target: &Dataset) -> bool {
        let leads = self.links.from(*offer, target, |_| true);
        leads.iter().any(|offer| self.has(target, offer.to_guid))
    }

    /// What is told of an outcome: a deferral by what a person can do about it, and one that lasted
    /// too long as a rejection.
    pub(super) fn told(&self, outcome: Outcome, waiting: &Waiting) -> Outcome {
        let Outcome::Defer(wait) = outcome else { return outcome };
        let wait = match wait {
            Wait::Full(guid) | Wait::Base(guid) => self.elsewhere(guid, waiting).unwrap_or(wait),
            other => other,
        };
        let waited = SystemTime::now().duration_since(waiting.since).unwrap_or_default();
        if self.policy.patience.or(wait.patience()).is_some_and(|most| waited > most) {
            return Outcome::Reject(Refusal::GivenUp(wait));
        }
        Outcome::Defer(wait)
    }

    /// The newest creation time that this stream leads to through others that wait.
    fn reach(&self, start: &Waiting) -> u64 {
        let waits = |key| self.waiting.contains_key(&key);
        let leads = self.links.from(start.offer, &start.target, waits);
        leads.iter().map(|offer| offer.creation).max().unwrap_or_default()
    }
}

/// A stream that is refused by its header, or could not be looked at.
struct Unfit {
    /// As in [`super::Held`].
    name: Option<String>,
    to_guid: Option<u64>,
    outcome: Box<Outcome>,
}

/// Whose turn it is: the least is next.
type Rank = (usize, bool, Reverse<u64>, u64);

/// The BEGIN of a package, if it is one, and of its first stream.
type Head = (Option<Box<Begin>>, Box<Begin>);

fn head(open: &Open<'_>, decrypt: &[String]) -> Result<Head, Outcome> {
    let failed = |error: ReceiveError| Outcome::Defer(Wait::Input(error.to_string()));
    std::thread::scope(|scope| {
        let raw = open().map_err(|error| failed(ReceiveError::Read(error)))?;
        head_of(Input::new(scope, raw, decrypt).map_err(failed)?)
    })
}

fn head_of(mut input: Input<'_>) -> Result<Head, Outcome> {
    let failed = |error: ReceiveError| Outcome::Defer(Wait::Input(error.to_string()));
    let fault = |fault: Fault| Outcome::Reject(Refusal::Fault(fault));
    let mut walker = Walker::new();
    let mut package = None;
    let mut buffer = vec![0; PIECE];
    loop {
        let len = input.read(&mut buffer).map_err(failed)?;
        if len == 0 {
            // A filter that could not decrypt gives nothing: then that is what is to be told.
            input.finish().map_err(failed)?;
            return Err(walker.finish().map_or_else(fault, |()| Outcome::Duplicate("empty")));
        }
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            let (used, event) = walker.feed(rest).map_err(fault)?;
            rest = &rest[used..];
            match event {
                Some(Event::Package(begin)) => package = Some(begin),
                Some(Event::Begin(begin)) => return Ok((package, begin)),
                _ => {}
            }
        }
    }
}
