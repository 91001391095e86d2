//! What leads from which snapshot to which, of all streams that were looked at.

use super::super::decide::Offer;
use super::super::name::Dataset;
use std::collections::{BTreeMap, BTreeSet};

/// Streams by their base. Thousands may wait, so none is looked for among all.
#[derive(Debug, Default)]
pub(super) struct Links {
    streams: BTreeMap<usize, (Dataset, Offer)>,
    by_base: BTreeMap<u64, Vec<usize>>,
}

impl Links {
    /// A stream for `target` was looked at.
    pub(super) fn add(&mut self, key: usize, target: &Dataset, offer: Offer) {
        self.by_base.entry(offer.from_guid).or_default().push(key);
        self.streams.insert(key, (target.clone(), offer));
    }

    /// A stream, and those that lead on from it for the same target, through `wanted` ones only.
    pub(super) fn from(
        &self,
        start: Offer,
        target: &Dataset,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Offer> {
        let mut seen = BTreeSet::from([start.to_guid]);
        let mut found = vec![start];
        let mut at = 0;
        while let Some(offer) = found.get(at) {
            at += 1;
            let keys = self.by_base.get(&offer.to_guid).into_iter().flatten();
            let next = keys.filter(|key| wanted(**key)).filter_map(|key| self.streams.get(key));
            let next = next.filter(|(to, next)| to == target && seen.insert(next.to_guid));
            found.extend(next.map(|(_, next)| *next).collect::<Vec<_>>());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(from_guid: u64, to_guid: u64) -> Offer {
        Offer { to_guid, from_guid, raw: false, resuming: false, creation: to_guid }
    }

    #[test]
    fn what_leads_on_is_found_and_circles_have_an_end() {
        let (a, b) = (Dataset::parse("a").unwrap(), Dataset::parse("b").unwrap());
        let mut links = Links::default();
        for (key, (target, from, to)) in
            [(&a, 0, 1), (&a, 1, 2), (&a, 2, 3), (&a, 1, 3), (&a, 3, 1), (&b, 3, 9)]
                .into_iter()
                .enumerate()
        {
            links.add(key, target, offer(from, to));
        }
        let from = |start: Offer, wanted: fn(usize) -> bool| {
            let found = links.from(start, &a, wanted);
            found.iter().map(|offer| offer.to_guid).collect::<BTreeSet<_>>()
        };
        assert_eq!(from(offer(0, 1), |_| true), BTreeSet::from([1, 2, 3]));
        assert_eq!(from(offer(0, 1), |key| key == 1), BTreeSet::from([1, 2]));
        assert_eq!(from(offer(7, 8), |_| true), BTreeSet::from([8]));
    }
}
