//! Applies all waiting streams of one sender. Reads the header of each stream, then applies them in
//! dependency order: base before increment, parent before child.

use super::super::lock::Locks;
use super::super::outcome::Outcome;
use super::super::reason::Wait;
use super::super::receipt::Receipt;
use super::backlog::Backlog;
use super::candidate::{Candidate, Unfit};
use super::error::ReceiveError;
use super::input::Open;
use super::policy::Policy;
use super::subtree::Subtree;
use crate::chain::Next;
use std::collections::VecDeque;
use std::time::SystemTime;

/// One pass over the streams that wait for one sender's subtree.
#[derive(Debug)]
pub struct Session {
    pub(super) subtree: Subtree,
    pub(super) backlog: Backlog,
    /// Streams whose headers were rejected or unreadable.
    pub(super) unfit: VecDeque<(usize, Unfit)>,
    pub(super) locks: Locks,
    /// After its header was read, each stream can be read only once more.
    pub(super) reads_once: bool,
}

impl Session {
    /// Reads the state of the pool.
    ///
    /// # Errors
    /// If `zfs` fails, or if the pool is imported but the root does not exist.
    pub fn new(policy: Policy, locks: Locks) -> Result<Self, ReceiveError> {
        let subtree = Subtree::read(policy)?;
        let (backlog, unfit) = (Backlog::default(), VecDeque::new());
        Ok(Self { subtree, backlog, unfit, locks, reads_once: false })
    }

    /// Declares that each stream can be read only once more after its header. So packages are not
    /// checked as a whole before their parts are applied.
    pub fn read_once(&mut self) {
        self.reads_once = true;
    }

    /// Reads the header of a stream. `asked` is the dataset that its sender asks for; `since` is
    /// the time it arrived.
    pub fn add(&mut self, key: usize, asked: Option<&str>, since: SystemTime, open: &Open<'_>) {
        match Candidate::read(&self.subtree.policy, asked, since, open) {
            Ok(candidate) => self.backlog.add(key, candidate),
            Err(unfit) => self.unfit.push_back((key, unfit)),
        }
    }

    /// The next stream to apply, or the outcome of one; `None` when all streams have an outcome.
    pub fn step(&mut self) -> Option<Next<Outcome>> {
        if let Some((key, unfit)) = self.unfit.pop_front() {
            return Some(Next::Answer(key, *unfit.outcome));
        }
        if let Some(pool) = &self.subtree.missing_pool {
            let (key, _) = self.backlog.pop()?;
            return Some(Next::Answer(key, Outcome::Defer(Wait::Pool(pool.clone()))));
        }
        if let Some(key) = self.backlog.next(&self.subtree) {
            return Some(Next::Apply(key));
        }
        let (key, candidate) = self.backlog.pop()?;
        let outcome = self.backlog.judge(&self.subtree).without_running(&candidate);
        if matches!(outcome, Outcome::Duplicate(_)) {
            self.subtree.record_late(&candidate.target, candidate.offer.step.to_guid);
            if candidate.package.is_none() {
                self.subtree.received.insert(candidate.target, candidate.named);
            }
        }
        Some(Next::Answer(key, outcome))
    }

    /// True if the stream of this key waits.
    pub fn holds(&self, key: usize) -> bool {
        self.backlog.holds(key)
    }

    /// Problems that a person should solve before the streams are applied.
    pub fn warnings(&self) -> &[String] {
        &self.subtree.warnings
    }

    /// The sender's handle for [`Session::receipts`].
    pub fn handle(&self) -> Option<&str> {
        self.subtree.policy.receipt.as_deref()
    }

    /// The receipts for the sender: the newest snapshot of each dataset that received a stream.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.subtree.receipts()
    }
}
