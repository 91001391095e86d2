//! The datasets of a pool and their state, as `zfs` reported them.

use super::command::{Zfs, ZfsError};
use super::name::Dataset;
use super::state::State;
use std::collections::BTreeMap;

/// What `zfs` reported, by dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub(super) datasets: BTreeMap<Dataset, State>,
    /// Datasets whose names packmule does not accept, and therefore never passes to `zfs`.
    pub(super) unnamed: BTreeMap<String, State>,
}

impl View {
    /// Why `root`, which this view was read at, is not in it; `None` if it is.
    ///
    /// # Errors
    /// If `zfs` cannot be run.
    pub fn missing(&self, zfs: &Zfs, root: &Dataset) -> Result<Option<Missing>, ZfsError> {
        if self.dataset(root).is_some() {
            return Ok(None);
        }
        let pool = root.as_str().split('/').next().unwrap_or_default();
        match zfs.ask(&["list", "-H", "-o", "name", pool]) {
            Ok(_) => Ok(Some(Missing::Dataset(root.clone()))),
            Err(error) if error.is_absent() => Ok(Some(Missing::Pool(pool.to_owned()))),
            Err(error) => Err(error),
        }
    }

    /// The state of a dataset; `None` if it does not exist.
    pub fn dataset(&self, name: &Dataset) -> Option<&State> {
        self.datasets.get(name)
    }

    /// All datasets, parents before children.
    pub fn datasets(&self) -> impl Iterator<Item = (&Dataset, &State)> {
        self.datasets.iter()
    }

    /// Datasets whose names packmule does not accept.
    pub fn unnamed(&self) -> impl Iterator<Item = (&str, &State)> {
        self.unnamed.iter().map(|(name, state)| (name.as_str(), state))
    }

    /// Replaces the state of one dataset by that in `newer`.
    pub fn update(&mut self, name: &Dataset, newer: &Self) {
        match newer.dataset(name) {
            Some(state) => self.datasets.insert(name.clone(), state.clone()),
            None => self.datasets.remove(name),
        };
    }

    /// Removes a dataset and everything below it from the view.
    pub fn remove(&mut self, dataset: &Dataset) {
        self.datasets.retain(|name, _| name != dataset && name.below(dataset).is_none());
    }
}

/// Why a dataset is not in a view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Its pool is not imported.
    #[error("the pool {0} is not imported")]
    Pool(String),
    /// Its pool is imported, but the dataset does not exist.
    #[error("the dataset {0} does not exist")]
    Dataset(Dataset),
}
