//! What becomes of a stream, by what the pool holds and what else waits.

use super::super::command::ZfsError;
use super::super::decide::{Decision, Known, Offer, decide};
use super::super::name::Dataset;
use super::super::outcome::Outcome;
use super::super::pool::{Dialect, State, written_since};
use super::super::reason::{Refusal, Wait};
use super::super::words::{after_failure, is_modified};
use super::candidate::Candidate;
use super::subtree::Subtree;
use crate::chain::Links;
use std::time::SystemTime;

/// Decides about streams; changes nothing.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) subtree: &'a Subtree,
    /// Everything that was looked at.
    pub(super) links: &'a Links<Dataset>,
}

impl Judge<'_> {
    /// Whether a stream is to be applied, as far as its header tells.
    pub(super) fn is_ready(&self, candidate: &Candidate) -> bool {
        match self.by_header(candidate) {
            Ok(_) => true,
            Err(Outcome::Defer(Wait::PartialState)) => self.subtree.policy.drop_partial,
            // The first stream of a package tells nothing of the others.
            Err(Outcome::Duplicate(_)) => candidate.package.is_some(),
            Err(_) => false,
        }
    }

    /// Whether nothing lies between a stream and its base. The others may turn out to be forks,
    /// so they are tried last.
    pub(super) fn is_direct(&self, candidate: &Candidate) -> bool {
        let newest = self.subtree.view.dataset(&candidate.target).and_then(|state| state.newest());
        newest.is_none_or(|newest| newest.guid == candidate.offer.step.from_guid)
    }

    /// What becomes of a stream that nothing will be run for.
    pub(super) fn without_running(&self, candidate: &Candidate) -> Outcome {
        let outcome = self.by_header(candidate).err();
        self.explained(outcome.unwrap_or(Outcome::Defer(Wait::Busy)), candidate)
    }

    fn by_header(&self, Candidate { target, offer, .. }: &Candidate) -> Decision {
        self.decide(offer, target, None)
    }

    /// Decides about a stream that is at hand. The pool is asked whether the target was changed.
    pub(super) fn now(&self, offer: &Offer, target: &Dataset) -> Result<Decision, ZfsError> {
        let changed = match self.subtree.view.dataset(target) {
            Some(state) => self.changed(offer, target, state)?,
            None => None,
        };
        Ok(self.decide(offer, target, changed))
    }

    /// What becomes of a stream for which `zfs` failed with these words: the pool may know better.
    pub(super) fn after_failure(&self, offer: &Offer, target: &Dataset, words: &str) -> Outcome {
        match self.decide(offer, target, Some(true)) {
            Ok(_) => self.rollback(after_failure(words), target),
            Err(outcome) => outcome,
        }
    }

    /// A deferral by what a person can do about it, and one that lasted too long as a rejection.
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

    /// Whether streams that were looked at lead from the snapshot that this one makes to one that
    /// is there.
    fn is_passed(&self, offer: &Offer, target: &Dataset) -> bool {
        let leads = self.links.from(offer.step, target, |_| true);
        leads.iter().any(|step| self.subtree.has(target, step.to_guid))
    }

    /// Whether the dataset was changed since the stream's base, when that is not its newest
    /// snapshot and `zfs` can tell.
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

    /// A backup that was changed can be rolled back: zfs-fuse tells of it only when it fails.
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
