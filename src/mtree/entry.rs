//! The objects of a manifest.

use super::facts::Facts;

/// An object of a manifest.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryId(u32);

impl EntryId {
    /// The root of the tree.
    pub const ROOT: Self = Self(0);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn of_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("no more entries than MOST_ENTRIES"))
    }
}

/// Limit for the number of objects in a manifest.
pub const MOST_ENTRIES: usize = 1 << 31;

/// One object.
#[derive(Clone, Debug)]
pub struct Entry {
    parent: EntryId,
    name: Box<[u8]>,
    /// True if the manifest has an entry for it; false if it is only the parent of an entry.
    pub stated: bool,
    /// Its facts.
    pub facts: Facts,
}

impl Entry {
    /// An object without facts.
    pub(super) fn new(parent: EntryId, name: Box<[u8]>) -> Self {
        Self { parent, name, stated: false, facts: Facts::default() }
    }

    /// An object with these facts.
    pub(super) fn known(parent: EntryId, name: Box<[u8]>, facts: Facts) -> Self {
        Self { parent, name, stated: true, facts }
    }

    /// The directory that contains it. The root is its own parent.
    pub fn parent(&self) -> EntryId {
        self.parent
    }

    /// Its name in that directory. The root's name is empty.
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_small() {
        assert!(size_of::<Entry>() <= 136, "{}", size_of::<Entry>());
    }
}
