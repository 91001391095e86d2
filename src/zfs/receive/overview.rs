//! Predicts the outcome of each waiting stream, for commands that only print it.

use super::super::dialect::Dialect;
use super::super::name::{Below, Dataset, word};
use super::super::outcome::Outcome;
use super::super::reason::Wait;
use super::super::state::{APPLIED, PLACEHOLDER, Snapshot, State};
use super::candidate::Candidate;
use super::session::Session;
use super::subtree::Subtree;

/// Number of newest snapshots that are all listed as bases.
const NEWEST: usize = 4;

/// A waiting stream and its predicted outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// Its key.
    pub key: usize,
    /// The target. If the target is unknown or not allowed: the sender's name for the dataset.
    /// `None` if that is unreadable, too.
    pub name: Option<String>,
    /// Guid of the snapshot it makes; `None` if the header is unreadable.
    pub to_guid: Option<u64>,
    /// The stream's header; `None` if it is unreadable or rejected.
    pub stream: Option<Preview>,
    /// The predicted outcome; `None` if it would be applied.
    pub outcome: Option<Outcome>,
}

/// A stream's header, and the state of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The target.
    pub target: Dataset,
    /// The dataset on the sending side.
    pub named: String,
    /// The snapshot it makes, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    pub to_guid: u64,
    /// The snapshot it needs; 0 for a full stream.
    pub from_guid: u64,
    /// Blocks encrypted as on disk.
    pub raw: bool,
    /// The prefix that the sender puts before the dataset's name.
    pub host: Option<Below>,
    /// The newest snapshot of the target.
    pub newest: Option<Snapshot>,
    /// Guids of snapshots that the target has and the sender may still have, newest first.
    pub bases: Vec<u64>,
    /// The command to run here before the target accepts an increment from one of `bases`, or a
    /// full stream if `bases` is empty.
    pub first: Option<String>,
}

impl Session {
    /// Predicts the outcome of each added stream.
    pub fn overview(&self) -> Vec<Prediction> {
        let judge = self.backlog.judge(&self.subtree);
        let waiting = self.backlog.iter().map(|(key, candidate)| {
            let outcome = match &self.subtree.missing_pool {
                Some(pool) => Some(Outcome::Defer(Wait::Pool(pool.clone()))),
                None if judge.is_ready(candidate) => None,
                None => Some(judge.without_running(candidate)),
            };
            let name = Some(candidate.target.to_string());
            let stream = Some(self.subtree.preview(candidate));
            Prediction { key, name, to_guid: Some(candidate.offer.step.to_guid), stream, outcome }
        });
        let unfit = self.unfit.iter().map(|(key, unfit)| Prediction {
            key: *key,
            name: unfit.name.clone(),
            to_guid: unfit.to_guid,
            stream: None,
            outcome: Some((*unfit.outcome).clone()),
        });
        waiting.chain(unfit).collect()
    }
}

impl Subtree {
    fn preview(&self, candidate: &Candidate) -> Preview {
        let state = self.view.dataset(&candidate.target);
        Preview {
            target: candidate.target.clone(),
            named: candidate.named.clone(),
            snapshot: candidate.snapshot.clone(),
            to_guid: candidate.offer.step.to_guid,
            from_guid: candidate.offer.step.from_guid,
            raw: candidate.offer.raw,
            host: self.policy.host.clone(),
            newest: state.and_then(|state| state.newest_received().or(state.newest())).cloned(),
            bases: state.map(bases).unwrap_or_default(),
            first: state.and_then(|state| self.first(&candidate.target, state)),
        }
    }

    /// The command that removes what would make a receive into this dataset fail.
    fn first(&self, target: &Dataset, state: &State) -> Option<String> {
        let name = word(target.as_str());
        match state.newest() {
            None if state.placeholder => None,
            None if self.children(target).is_empty() => Some(format!("zfs destroy {name}")),
            None => Some(format!("zfs set {PLACEHOLDER}=on {name}")),
            // The dataset was written to, or its newest snapshot was destroyed. zfs-fuse reports
            // neither, so suggest the rollback always.
            Some(newest)
                if state.written.is_some_and(|bytes| bytes > 0)
                    || self.dialect == Dialect::Fuse =>
            {
                Some(format!("zfs rollback {}", word(&format!("{target}@{}", newest.name))))
            }
            Some(_) => None,
        }
    }
}

/// A sender that was restored has only old snapshots. So this lists the newest few, then ever
/// fewer, then the oldest.
fn bases(state: &State) -> Vec<u64> {
    let is_received = |snapshot: &&Snapshot| snapshot.properties.contains_key(APPLIED);
    let received: Vec<_> = state.snapshots.iter().rev().filter(is_received).collect();
    let all = if received.is_empty() { state.snapshots.iter().rev().collect() } else { received };
    let (mut bases, mut at) = (Vec::new(), 0);
    while let Some(snapshot) = all.get(at) {
        bases.push(snapshot.guid);
        at = if at < NEWEST { at + 1 } else { at * 2 };
    }
    let oldest = all.last().map(|snapshot| snapshot.guid);
    bases.extend(oldest.filter(|guid| bases.last() != Some(guid)));
    bases
}
