//! What would become of everything that waits, for those who only look.

use super::super::name::{Below, Dataset, word};
use super::super::outcome::Outcome;
use super::super::pool::{APPLIED, Dialect, PLACEHOLDER, Snapshot, State};
use super::super::reason::Wait;
use super::candidate::Candidate;
use super::session::Session;
use super::subtree::Subtree;

/// So many of the newest snapshots are all told as bases.
const NEWEST: usize = 4;

/// A stream that was looked at, and what would become of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its key.
    pub key: usize,
    /// Where it goes; where that is not allowed or not known, what the sender calls it. `None` where not
    /// even that can be read.
    pub name: Option<String>,
    /// The snapshot it makes, where that can be read.
    pub to_guid: Option<u64>,
    /// The stream's header; `None` if it is unreadable or rejected.
    pub stream: Option<Looked>,
    /// What would become of it; `None` when it would be applied.
    pub outcome: Option<Outcome>,
}

/// What the look at a stream told, and what is where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Where it goes.
    pub target: Dataset,
    /// The dataset on the sending side.
    pub named: String,
    /// The snapshot it makes, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    pub to_guid: u64,
    /// The snapshot it needs; 0 for a full stream.
    pub from_guid: u64,
    /// Encrypted as on disk.
    pub raw: bool,
    /// What the sender puts before the dataset's name.
    pub host: Option<Below>,
    /// The newest snapshot that the target has.
    pub newest: Option<Snapshot>,
    /// Guids of snapshots that the target has and a sender may still have, the newest first.
    pub bases: Vec<u64>,
    /// What is to be run here before the target takes an increment from one of those, or a full stream
    /// where there are none.
    pub first: Option<String>,
}

impl Session {
    /// What would become of everything that was added, if it were applied now.
    pub fn overview(&self) -> Vec<Held> {
        let judge = self.backlog.judge(&self.subtree);
        let waiting = self.backlog.iter().map(|(key, candidate)| {
            let outcome = match &self.subtree.missing_pool {
                Some(pool) => Some(Outcome::Defer(Wait::Pool(pool.clone()))),
                None if judge.is_ready(candidate) => None,
                None => Some(judge.without_running(candidate)),
            };
            let name = Some(candidate.target.to_string());
            let stream = Some(self.subtree.looked(candidate));
            Held { key, name, to_guid: Some(candidate.offer.step.to_guid), stream, outcome }
        });
        let unfit = self.unfit.iter().map(|(key, unfit)| Held {
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
    fn looked(&self, candidate: &Candidate) -> Looked {
        let state = self.view.dataset(&candidate.target);
        Looked {
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

    /// What would make a receive into this dataset fail.
    fn first(&self, target: &Dataset, state: &State) -> Option<String> {
        let name = word(target.as_str());
        match state.newest() {
            None if state.placeholder => None,
            None if self.children(target).is_empty() => Some(format!("zfs destroy {name}")),
            None => Some(format!("zfs set {PLACEHOLDER}=on {name}")),
            // It was written to, or a snapshot on top was destroyed; zfs-fuse does not tell.
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

/// A sender that was restored has only old ones: the newest few, then ever fewer, then the oldest.
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
