//! The state of the subtree that receives one sender's streams.

use super::super::command::ZfsError;
use super::super::dialect::Dialect;
use super::super::get::Depth;
use super::super::name::Dataset;
use super::super::pool::{Missing, View};
use super::super::receipt::Receipt;
use super::error::ReceiveError;
use super::policy::Policy;
use super::settings::{RECEIVED, RECEIVER, warnings};
use std::collections::BTreeMap;

/// The subtree that receives one sender's streams.
#[derive(Debug)]
pub(super) struct Subtree {
    pub(super) policy: Policy,
    pub(super) dialect: Dialect,
    /// The state of the pool, read once and updated after each change.
    pub(super) view: View,
    /// The pool's name if it is not imported; then no stream can be applied.
    pub(super) missing_pool: Option<String>,
    /// Placeholders that were made for the current stream, parents first.
    pub(super) made: Vec<Dataset>,
    /// Datasets whose stream is in the pool, with their names on the sending side.
    pub(super) received: BTreeMap<Dataset, String>,
    pub(super) warnings: Vec<String>,
}

impl Subtree {
    /// Reads the state of the pool.
    ///
    /// # Errors
    /// If `zfs` fails, or if the pool is imported but the root does not exist.
    pub(super) fn read(policy: Policy) -> Result<Self, ReceiveError> {
        let dialect = Dialect::probe(&policy.zfs)?;
        let view = View::read(&policy.zfs, dialect, &policy.into, Depth::All, RECEIVER)?;
        let missing_pool = match view.missing(&policy.zfs, &policy.into)? {
            None => None,
            Some(Missing::Pool(pool)) => Some(pool),
            Some(Missing::Dataset(root)) => return Err(ReceiveError::NoRoot(root.to_string())),
        };
        let warnings = warnings(&view, &policy.into);
        let (made, received) = (Vec::new(), BTreeMap::new());
        Ok(Self { policy, dialect, view, missing_pool, made, received, warnings })
    }

    /// Reads the state of one dataset again.
    pub(super) fn refresh(&mut self, target: &Dataset) -> Result<(), ZfsError> {
        let newer = View::read(&self.policy.zfs, self.dialect, target, Depth::One, RECEIVED)?;
        self.view.update(target, &newer);
        Ok(())
    }

    /// Reads the whole subtree again.
    pub(super) fn reread(&mut self) -> Result<(), ZfsError> {
        let root = &self.policy.into;
        self.view = View::read(&self.policy.zfs, self.dialect, root, Depth::All, RECEIVED)?;
        Ok(())
    }

    /// True if the dataset has the snapshot of this guid.
    pub(super) fn has(&self, dataset: &Dataset, guid: u64) -> bool {
        self.view.dataset(dataset).is_some_and(|state| state.snapshot(guid).is_some())
    }

    /// The direct children of a dataset, each with whether it is a volume.
    pub(super) fn children(&self, target: &Dataset) -> Vec<(Dataset, bool)> {
        let children =
            self.view.datasets().filter(|(name, _)| name.parent().as_ref() == Some(target));
        children.map(|(name, state)| (name.clone(), state.volume)).collect()
    }

    /// True if an ancestor of the dataset is a volume.
    pub(super) fn is_below_volume(&self, target: &Dataset) -> bool {
        std::iter::successors(target.parent(), Dataset::parent)
            .any(|parent| self.view.dataset(&parent).is_some_and(|state| state.volume))
    }

    /// The newest snapshot of each dataset that received a stream.
    pub(super) fn receipts(&self) -> Vec<Receipt> {
        let receipt = |(target, named): (&Dataset, &String)| {
            let newest = self.view.dataset(target)?.newest_received()?;
            let (snapshot, guid) = (newest.name.clone(), newest.guid);
            Some(Receipt { dataset: named.clone(), snapshot, guid })
        };
        self.received.iter().filter_map(receipt).collect()
    }
}
