//! What would become of everything that waits, for those who only look.

use super::super::decide::Wait;
use super::super::name::{Below, Dataset};
use super::super::pool::Snapshot;
use super::Outcome;
use super::session::{Session, Waiting};

/// A stream that was looked at, and what would become of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its key.
    pub key: usize,
    /// Where it goes; where that is not allowed or not known, what the sender calls it. `None` where not
    /// even that can be read.
    pub name: Option<String>,
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
}

/// A stream that nothing will be run for.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) key: usize,
    /// As in [`Held`].
    pub(super) name: Option<String>,
    pub(super) outcome: Outcome,
}

impl Session {
    /// What would become of everything that was added, if it were applied now.
    pub fn overview(&self) -> Vec<Held> {
        let waiting = self.waiting.iter().map(|(key, waiting)| {
            let outcome = match &self.pool_missing {
                Some(pool) => Some(Outcome::Defer(Wait::Pool(pool.clone()))),
                None if self.is_ready(waiting) => None,
                None => Some(self.without_running(waiting)),
            };
            let name = Some(waiting.target.to_string());
            Held { key: *key, name, stream: Some(self.looked(waiting)), outcome }
        });
        let answered = self.answers.iter().map(|answered| Held {
            key: answered.key,
            name: answered.name.clone(),
            stream: None,
            outcome: Some(answered.outcome.clone()),
        });
        waiting.chain(answered).collect()
    }

    fn looked(&self, waiting: &Waiting) -> Looked {
        let state = self.view.dataset(&waiting.target);
        Looked {
            target: waiting.target.clone(),
            named: waiting.named.clone(),
            snapshot: waiting.snapshot.clone(),
            to_guid: waiting.offer.to_guid,
            from_guid: waiting.offer.from_guid,
            raw: waiting.offer.raw,
            host: self.policy.host.clone(),
            newest: state.and_then(|state| state.newest_received().or(state.newest())).cloned(),
        }
    }
}
