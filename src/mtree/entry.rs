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

/// How many objects one manifest can hold.
pub const MOST_ENTRIES: usize = 1 << 31;

/// One object.
#[derive(Clone, Debug)]
pub struct Entry {
    parent: EntryId,
    name: Box<[u8]>,
    /// The manifest names it. Else it is known only as the parent of something.
    pub stated: bool,
    /// What is known of it.
    pub facts: Facts,
}

impl Entry {
    /// An object of which nothing is known.
    pub(super) fn new(parent: EntryId, name: Box<[u8]>) -> Self {
        Self { parent, name, stated: false, facts: Facts::default() }
    }

    /// An object of which these facts are known.
    pub(super) fn known(parent: EntryId, name: Box<[u8]>, facts: Facts) -> Self {
        Self { parent, name, stated: true, facts }
    }

    /// The directory it is in. The root is in itself.
    pub fn parent(&self) -> EntryId {
        self.parent
    }

    /// Its name in that directory. That of the root is empty.
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
