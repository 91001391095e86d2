//! Finds the chains that known steps form.

use super::relation::Step;
use std::collections::{BTreeMap, BTreeSet};

/// Steps and their targets, indexed by base, because thousands of them may wait.
#[derive(Debug)]
pub(crate) struct Links<T> {
    steps: BTreeMap<usize, (T, Step)>,
    by_base: BTreeMap<u64, Vec<usize>>,
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self { steps: BTreeMap::new(), by_base: BTreeMap::new() }
    }
}

impl<T: Clone + PartialEq> Links<T> {
    /// Adds a step for `target`.
    pub(crate) fn add(&mut self, key: usize, target: &T, step: Step) {
        self.by_base.entry(step.from_guid).or_default().push(key);
        self.steps.insert(key, (target.clone(), step));
    }

    /// A step and all steps that continue from it for the same target, using only those that
    /// `wanted` accepts.
    pub(crate) fn from(
        &self,
        start: Step,
        target: &T,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Step> {
        let mut seen = BTreeSet::from([start.to_guid]);
        let mut found = vec![start];
        let mut at = 0;
        while let Some(step) = found.get(at) {
            at += 1;
            let keys = self.by_base.get(&step.to_guid).into_iter().flatten();
            let next = keys.filter(|key| wanted(**key)).filter_map(|key| self.steps.get(key));
            let next = next.filter(|(to, next)| to == target && seen.insert(next.to_guid));
            found.extend(next.map(|(_, next)| *next).collect::<Vec<_>>());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from_guid: u64, to_guid: u64) -> Step {
        Step { to_guid, from_guid, creation: to_guid }
    }

    #[test]
    fn what_leads_on_is_found_and_circles_have_an_end() {
        let mut links = Links::default();
        for (key, (target, from, to)) in
            [("a", 0, 1), ("a", 1, 2), ("a", 2, 3), ("a", 1, 3), ("a", 3, 1), ("b", 3, 9)]
                .into_iter()
                .enumerate()
        {
            links.add(key, &target, step(from, to));
        }
        let from = |start: Step, wanted: fn(usize) -> bool| {
            let found = links.from(start, &"a", wanted);
            found.iter().map(|step| step.to_guid).collect::<BTreeSet<_>>()
        };
        assert_eq!(from(step(0, 1), |_| true), BTreeSet::from([1, 2, 3]));
        assert_eq!(from(step(0, 1), |key| key == 1), BTreeSet::from([1, 2]));
        assert_eq!(from(step(7, 8), |_| true), BTreeSet::from([8]));
    }
}
