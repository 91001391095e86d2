//! Decides the outcome of a stream from the state of the pool and from the other waiting streams.

use super::super::command::ZfsError;
use super::super::decide::{Decision, Known, decide};
use super::super::dialect::Dialect;
use super::super::failure::{after_failure, is_modified};
use super::super::name::Dataset;
use super::super::offer::Offer;
use super::super::outcome::Outcome;
use super::super::reason::{Refusal, Wait};
use super::super::state::State;
use super::super::written::written_since;
use super::candidate::Candidate;
use super::subtree::Subtree;
use crate::chain::Links;
use std::time::SystemTime;

/// Decides about streams. Changes nothing.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) subtree: &'a Subtree,
    /// All streams of which a header was read.
    pub(super) links: &'a Links<Dataset>,
}

impl Judge<'_> {
    /// True if a stream can be applied, judged by its header.
    pub(super) fn is_ready(&self, candidate: &Candidate) -> bool {
        match self.by_header(candidate) {
            Ok(_) => true,
            Err(Outcome::Defer(Wait::PartialState)) => self.subtree.policy.drop_partial,
            // A package may contain more than the first stream, so it is not a duplicate yet.
            Err(Outcome::Duplicate(_)) => candidate.package.is_some(),
            Err(_) => false,
        }
    }

    /// True if the base is the newest snapshot of the target. Other streams may be forks, so they
    /// are tried last.
    pub(super) fn is_direct(&self, candidate: &Candidate) -> bool {
        let newest = self.subtree.view.dataset(&candidate.target).and_then(|state| state.newest());
        newest.is_none_or(|newest| newest.guid == candidate.offer.step.from_guid)
    }

    /// The outcome of a stream for which `zfs receive` is not run.
    pub(super) fn without_running(&self, candidate: &Candidate) -> Outcome {
        let outcome = self.by_header(candidate).err();
        self.explained(outcome.unwrap_or(Outcome::Defer(Wait::Busy)), candidate)
    }

    fn by_header(&self, Candidate { target, offer, .. }: &Candidate) -> Decision {
        self.decide(offer, target, None)
    }

    /// Decides about the stream that is being read. Asks the pool whether the target was changed.
    pub(super) fn now(&self, offer: &Offer, target: &Dataset) -> Result<Decision, ZfsError> {
        let changed = match self.subtree.view.dataset(target) {
            Some(state) => self.changed(offer, target, state)?,
            None => None,
        };
        Ok(self.decide(offer, target, changed))
    }

    /// The outcome of a stream for which `zfs receive` failed with this output. The state of the
    /// pool decides if it can; otherwise the stderr do.
    pub(super) fn after_failure(&self, offer: &Offer, target: &Dataset, stderr: &str) -> Outcome {
        match self.decide(offer, target, Some(true)) {
            Ok(_) => self.rollback(after_failure(stderr), target),
            Err(outcome) => outcome,
        }
    }

    /// Refines a deferral: names what a person can do about it, and rejects the stream if it waited
    /// too long.
    pub(super) fn explained(&self, outcome: Outcome, candidate: &Candidate) -> Outcome {
        let Outcome::Defer(wait) = outcome else { return outcome };
        let wait = match wait {
            Wait::Full(guid) | Wait::Base(guid) => {
                self.subtree.elsewhere(guid, &candidate.target).unwrap_or(wait)
            }
            other => other,
        };
        let waited = SystemTime::now().duration_since(candidate.since).unwrap_or_default();
        let patience = self.subtree.policy.patience.or(wait.patience());
        if patience.is_some_and(|most| waited > most) {
            return Outcome::Reject(Refusal::GivenUp(wait));
        }
        Outcome::Defer(wait)
    }

    fn decide(&self, offer: &Offer, target: &Dataset, changed: Option<bool>) -> Decision {
        let known = Known { changed, passed: self.is_passed(offer, target) };
        decide(offer, target, self.subtree.view.dataset(target), known)
    }

    /// True if known streams form a chain from the snapshot that this one makes to one that the
    /// target has.
    fn is_passed(&self, offer: &Offer, target: &Dataset) -> bool {
        let leads = self.links.from(offer.step, target, |_| true);
        leads.iter().any(|step| self.subtree.has(target, step.to_guid))
    }

    /// Whether the dataset was changed since the stream's base. `None` if the base is the newest
    /// snapshot, or if `zfs` does not report it.
    fn changed(
        &self,
        offer: &Offer,
        target: &Dataset,
        state: &State,
    ) -> Result<Option<bool>, ZfsError> {
        let base = state.snapshot(offer.step.from_guid);
        let newest = state.newest().map(|newest| newest.guid);
        let Some(base) = base.filter(|base| Some(base.guid) != newest) else { return Ok(None) };
        if self.subtree.dialect == Dialect::Fuse {
            return Ok(None);
        }
        let zfs = &self.subtree.policy.zfs;
        let written = written_since(zfs, target, &format!("@{}", base.name))?;
        Ok(written.map(|bytes| bytes > 0))
    }

    /// Suggests a rollback if the backup was changed. zfs-fuse reports a change only when the
    /// receive fails.
    fn rollback(&self, outcome: Outcome, target: &Dataset) -> Outcome {
        let newest = self.subtree.view.dataset(target).and_then(|state| state.newest());
        match (outcome, newest) {
            (Outcome::Reject(Refusal::Zfs(said)), Some(newest)) if is_modified(&said) => {
                let newest = format!("{target}@{}", newest.name);
                Outcome::Reject(Refusal::Changed { said, newest })
            }
            (outcome, _) => outcome,
        }
    }
}
