//! Everything that waits for one sender's subtree, and which of it is next.

use super::super::name::Dataset;
use super::candidate::Candidate;
use super::judge::Judge;
use super::subtree::Subtree;
use crate::chain::Links;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Streams that wait, by key.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: BTreeMap<usize, Candidate>,
    /// Everything that was looked at, also what waits no more.
    links: Links<Dataset>,
    /// Which of what waits is next, as far as that is known: `None` when it is not its turn yet.
    ranks: BTreeMap<usize, Option<Rank>>,
}

/// Whose turn it is: the least is next.
type Rank = (usize, bool, Reverse<u64>, u64);

impl Backlog {
    pub(super) fn add(&mut self, key: usize, candidate: Candidate) {
        self.links.add(key, &candidate.target, candidate.offer.step);
        self.waiting.insert(key, candidate);
        self.ranks.clear();
    }

    /// Whether a stream waits under this key.
    pub(super) fn holds(&self, key: usize) -> bool {
        self.waiting.contains_key(&key)
    }

    /// What waits, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Candidate)> {
        self.waiting.iter().map(|(key, candidate)| (*key, candidate))
    }

    pub(super) fn links(&self) -> &Links<Dataset> {
        &self.links
    }

    /// Who decides about what waits here for `subtree`.
    pub(super) fn judge<'a>(&'a self, subtree: &'a Subtree) -> Judge<'a> {
        Judge { subtree, links: &self.links }
    }

    /// The stream that is to be applied next; `None` when nothing fits.
    pub(super) fn next(&mut self, subtree: &Subtree) -> Option<usize> {
        self.rank(subtree);
        let ready = self.ranks.iter().filter_map(|(key, rank)| Some((rank.as_ref()?, *key)));
        ready.min().map(|(_, key)| key)
    }

    /// Takes out any stream.
    pub(super) fn pop(&mut self) -> Option<(usize, Candidate)> {
        let (key, candidate) = self.waiting.pop_first()?;
        self.ranks.remove(&key);
        Some((key, candidate))
    }

    /// Takes out the stream that is to be applied.
    pub(super) fn take(&mut self, key: usize) -> Option<Candidate> {
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
    fn rank(&mut self, subtree: &Subtree) {
        let judge = self.judge(subtree);
        let unknown = self.waiting.iter().filter(|(key, _)| !self.ranks.contains_key(key));
        let ranks: Vec<_> = unknown
            .map(|(key, candidate)| {
                (*key, judge.is_ready(candidate).then(|| self.rank_of(judge, candidate)))
            })
            .collect();
        self.ranks.extend(ranks);
    }

    /// Parents first, what builds on what is there, what leads furthest, the oldest.
    fn rank_of(&self, judge: Judge<'_>, candidate: &Candidate) -> Rank {
        let reach = Reverse(self.reach(candidate));
        let is_indirect = !judge.is_direct(candidate);
        (candidate.target.depth(), is_indirect, reach, candidate.offer.step.creation)
    }

    /// The newest creation time that this stream leads to through others that wait.
    fn reach(&self, start: &Candidate) -> u64 {
        let waits = |key| self.waiting.contains_key(&key);
        let leads = self.links.from(start.offer.step, &start.target, waits);
        leads.iter().map(|step| step.creation).max().unwrap_or_default()
    }
}
