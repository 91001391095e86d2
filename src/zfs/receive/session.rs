//! One pass over everything that waits: reads each stream's header, then applies the streams in
//! the order of their dependencies, base before increment and parent before child.

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

/// One pass over all that waits for one sender's subtree.
#[derive(Debug)]
pub struct Session {
    pub(super) subtree: Subtree,
    pub(super) backlog: Backlog,
    /// Streams that were rejected by their headers, or could not be read.
    pub(super) unfit: VecDeque<(usize, Unfit)>,
    pub(super) locks: Locks,
    /// Streams can be read only once after the look at their heads.
    pub(super) reads_once: bool,
}

impl Session {
    /// Reads what the pool holds.
    ///
    /// # Errors
    /// When `zfs` can not be asked, or the root is not there although its pool is.
    pub fn new(policy: Policy, locks: Locks) -> Result<Self, ReceiveError> {
        let subtree = Subtree::read(policy)?;
        let (backlog, unfit) = (Backlog::default(), VecDeque::new());
        Ok(Self { subtree, backlog, unfit, locks, reads_once: false })
    }

    /// Streams can be read only once after the look at their heads, so a package is not walked as
    /// a whole before its parts are applied.
    pub fn read_once(&mut self) {
        self.reads_once = true;
    }

    /// Reads the header of a stream: `asked` is the dataset its sender asks for, `since` the time
    /// from which it waits.
    pub fn add(&mut self, key: usize, asked: Option<&str>, since: SystemTime, open: &Open<'_>) {
        match Candidate::read(&self.subtree.policy, asked, since, open) {
            Ok(candidate) => self.backlog.add(key, candidate),
            Err(unfit) => self.unfit.push_back((key, unfit)),
        }
    }

    /// What to do next; `None` when everything was answered or applied.
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

    /// Whether a stream waits under this key.
    pub fn holds(&self, key: usize) -> bool {
        self.backlog.holds(key)
    }

    /// What a person should look at before this goes on.
    pub fn warnings(&self) -> &[String] {
        &self.subtree.warnings
    }

    /// The handle at the sender for [`Session::receipts`].
    pub fn handle(&self) -> Option<&str> {
        self.subtree.policy.receipt.as_deref()
    }

    /// What the sender is told: the newest snapshot of each dataset that a stream came for.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.subtree.receipts()
    }
}
