//! The subtree that one sender's streams are received into, as its pool holds it.

use super::super::command::ZfsError;
use super::super::name::Dataset;
use super::super::pool::{Depth, Dialect, Missing, View};
use super::super::receipt::Receipt;
use super::error::ReceiveError;
use super::policy::Policy;
use super::settings::{RECEIVED, RECEIVER, warnings};
use std::collections::BTreeMap;

/// The subtree that one sender's streams are received into.
#[derive(Debug)]
pub(super) struct Subtree {
    pub(super) policy: Policy,
    pub(super) dialect: Dialect,
    /// What the pool holds, read once and kept up to date by what we do.
    pub(super) view: View,
    /// The pool, if it is not imported: nothing can be done then.
    pub(super) missing_pool: Option<String>,
    /// Placeholders that were made for the stream at hand, parents first.
    pub(super) made: Vec<Dataset>,
    /// Datasets whose stream is in the pool now, with their names on the sending side.
    pub(super) received: BTreeMap<Dataset, String>,
    pub(super) warnings: Vec<String>,
}

impl Subtree {
    /// Reads what the pool holds.
    ///
    /// # Errors
    /// When `zfs` can not be asked, or the root is not there although its pool is.
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

    /// Reads again what is in a dataset.
    pub(super) fn refresh(&mut self, target: &Dataset) -> Result<(), ZfsError> {
        let newer = View::read(&self.policy.zfs, self.dialect, target, Depth::One, RECEIVED)?;
        self.view.update(target, &newer);
        Ok(())
    }

    /// Reads everything again.
    pub(super) fn reread(&mut self) -> Result<(), ZfsError> {
        let root = &self.policy.into;
        self.view = View::read(&self.policy.zfs, self.dialect, root, Depth::All, RECEIVED)?;
        Ok(())
    }

    /// Whether a dataset has the snapshot of this guid.
    pub(super) fn has(&self, dataset: &Dataset, guid: u64) -> bool {
        self.view.dataset(dataset).is_some_and(|state| state.snapshot(guid).is_some())
    }

    /// What is directly below a dataset, and whether it is a volume.
    pub(super) fn children(&self, target: &Dataset) -> Vec<(Dataset, bool)> {
        let children =
            self.view.datasets().filter(|(name, _)| name.parent().as_ref() == Some(target));
        children.map(|(name, state)| (name.clone(), state.volume)).collect()
    }

    /// Whether a dataset would lie below a volume.
    pub(super) fn is_below_volume(&self, target: &Dataset) -> bool {
        std::iter::successors(target.parent(), Dataset::parent)
            .any(|parent| self.view.dataset(&parent).is_some_and(|state| state.volume))
    }

    /// The newest snapshot that is held of each dataset that a stream came for.
    pub(super) fn receipts(&self) -> Vec<Receipt> {
        let receipt = |(target, named): (&Dataset, &String)| {
            let newest = self.view.dataset(target)?.newest_received()?;
            let (snapshot, guid) = (newest.name.clone(), newest.guid);
            Some(Receipt { dataset: named.clone(), snapshot, guid })
        };
        self.received.iter().filter_map(receipt).collect()
    }
}
