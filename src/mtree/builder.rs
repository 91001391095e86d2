//! Builds a manifest.

use super::entry::{Entry, EntryId, MOST_ENTRIES};
use super::facts::Facts;
use super::manifest::Manifest;
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// Builds a manifest.
pub struct Builder {
    entries: Vec<Entry>,
    /// Entries by parent and name. The hash is keyed, because hostile manifests choose the names.
    index: HashTable<EntryId>,
    hasher: RandomState,
}

impl Default for Builder {
    fn default() -> Self {
        let root = Entry::new(EntryId::ROOT, Box::default());
        Self { entries: vec![root], index: HashTable::new(), hasher: RandomState::new() }
    }
}

impl Builder {
    /// The object `name` of the directory `parent`.
    pub fn find(&self, parent: EntryId, name: &[u8]) -> Option<EntryId> {
        self.find_hashed(self.hasher.hash_one((parent, name)), parent, name)
    }

    /// The object `name` of the directory `parent`; adds it if it is missing.
    pub fn enter(&mut self, parent: EntryId, name: &[u8]) -> EntryId {
        let hash = self.hasher.hash_one((parent, name));
        self.find_hashed(hash, parent, name).unwrap_or_else(|| {
            let id = EntryId::of_index(self.entries.len());
            self.entries.push(Entry::new(parent, Box::from(name)));
            self.index.insert_unique(hash, id, |id| {
                let entry = &self.entries[id.index()];
                self.hasher.hash_one((entry.parent(), entry.name()))
            });
            id
        })
    }

    /// An object.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.index()]
    }

    /// An object, mutable.
    pub fn entry_mut(&mut self, id: EntryId) -> &mut Entry {
        &mut self.entries[id.index()]
    }

    /// The number of objects, including the root.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there is only the root.
    pub fn is_empty(&self) -> bool {
        self.entries.len() == 1
    }

    /// The finished manifest. Drops groups of hard links with fewer than two members.
    pub fn finish(self, links: Vec<(u64, EntryId)>) -> Manifest {
        drop(self.index);
        Manifest::new(self.entries, links)
    }

    fn find_hashed(&self, hash: u64, parent: EntryId, name: &[u8]) -> Option<EntryId> {
        let is_it = |id: &EntryId| {
            let entry = &self.entries[id.index()];
            entry.parent() == parent && entry.name() == name
        };
        self.index.find(hash, is_it).copied()
    }
}

/// Collects objects from several threads. The names are known to be new, so it keeps no index.
pub(super) struct Collector(Vec<Entry>);

impl Collector {
    pub(super) fn new(root: Facts) -> Self {
        Self(vec![Entry::known(EntryId::ROOT, Box::default(), root)])
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST_ENTRIES
    }

    /// Adds an object. The caller must check [`Self::is_full`] first.
    pub(super) fn push(&mut self, parent: EntryId, name: Box<[u8]>, facts: Facts) -> EntryId {
        let id = EntryId::of_index(self.0.len());
        self.0.push(Entry::known(parent, name, facts));
        id
    }

    pub(super) fn finish(self, links: Vec<(u64, EntryId)>) -> Manifest {
        Manifest::new(self.0, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(paths: &[&str]) -> Builder {
        let mut builder = Builder::default();
        for path in paths {
            let names = path.split('/');
            names.fold(EntryId::ROOT, |parent, name| builder.enter(parent, name.as_bytes()));
        }
        builder
    }

    #[test]
    fn a_name_is_entered_once() {
        let builder = build(&["a/b", "a/b", "a"]);
        assert_eq!(builder.len(), 3);
        let manifest = builder.finish(Vec::new());
        let a = manifest.child(EntryId::ROOT, b"a").unwrap();
        assert!(manifest.child(a, b"b").is_some());
        assert_eq!(manifest.child(a, b"c"), None);
    }
}
