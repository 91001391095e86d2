//! The streams that wait for one sender's subtree, and the order in which to apply them.

use super::super::name::Dataset;
use super::candidate::Candidate;
use super::judge::Judge;
use super::subtree::Subtree;
use crate::chain::Links;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Waiting streams by key.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: BTreeMap<usize, Candidate>,
    /// All streams that were added, also those that no longer wait.
    links: Links<Dataset>,
    /// Rank of each waiting stream, once it is known. `None`: the stream cannot be applied yet.
    ranks: BTreeMap<usize, Option<Rank>>,
}

/// The stream with the least rank is applied next.
type Rank = (usize, bool, Reverse<u64>, u64);

impl Backlog {
    pub(super) fn add(&mut self, key: usize, candidate: Candidate) {
        self.links.add(key, &candidate.target, candidate.offer.step);
        self.waiting.insert(key, candidate);
        self.ranks.clear();
    }

    /// True if the stream of this key waits.
    pub(super) fn holds(&self, key: usize) -> bool {
        self.waiting.contains_key(&key)
    }

    /// Waiting streams with their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Candidate)> {
        self.waiting.iter().map(|(key, candidate)| (*key, candidate))
    }

    pub(super) fn links(&self) -> &Links<Dataset> {
        &self.links
    }

    /// The judge of the streams in this backlog.
    pub(super) fn judge<'a>(&'a self, subtree: &'a Subtree) -> Judge<'a> {
        Judge { subtree, links: &self.links }
    }

    /// The key of the stream to apply next; `None` if no stream can be applied.
    pub(super) fn next(&mut self, subtree: &Subtree) -> Option<usize> {
        self.rank(subtree);
        let ready = self.ranks.iter().filter_map(|(key, rank)| Some((rank.as_ref()?, *key)));
        ready.min().map(|(_, key)| key)
    }

    /// Removes and returns any stream.
    pub(super) fn pop(&mut self) -> Option<(usize, Candidate)> {
        let (key, candidate) = self.waiting.pop_first()?;
        self.ranks.remove(&key);
        Some((key, candidate))
    }

    /// Removes and returns the stream that is to be applied.
    pub(super) fn take(&mut self, key: usize) -> Option<Candidate> {
        let taken = self.waiting.remove(&key)?;
        // Applying it changes its dataset, may make parents, and may move children: their ranks are
        // stale.
        let (target, waiting) = (&taken.target, &self.waiting);
        let is_near = |other: &Dataset| {
            other == target || other.below(target).is_some() || target.below(other).is_some()
        };
        self.ranks.retain(|key, _| waiting.get(key).is_some_and(|other| !is_near(&other.target)));
        Some(taken)
    }

    /// Computes missing ranks.
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

    /// Order: parents before children, streams whose base is the newest snapshot before others,
    /// then the stream that enables the longest chain, then the oldest.
    fn rank_of(&self, judge: Judge<'_>, candidate: &Candidate) -> Rank {
        let reach = Reverse(self.reach(candidate));
        let is_indirect = !judge.is_direct(candidate);
        (candidate.target.depth(), is_indirect, reach, candidate.offer.step.creation)
    }

    /// The newest creation time at the end of any chain that starts with this stream.
    fn reach(&self, start: &Candidate) -> u64 {
        let waits = |key| self.waiting.contains_key(&key);
        let leads = self.links.from(start.offer.step, &start.target, waits);
        leads.iter().map(|step| step.creation).max().unwrap_or_default()
    }
}
