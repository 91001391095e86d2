//! The result of a comparison.

use super::compare::{Class, Level};
use super::create::Trouble;
use super::entry::EntryId;
use super::facts::Facts;
use super::keyword::Keywords;
use super::manifest::Manifest;

/// An object that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The object.
    pub object: Object,
    /// The difference.
    pub what: What,
}

/// The object of a difference.
#[derive(Clone, Debug)]
pub enum Object {
    /// An object of the manifest.
    Entry(EntryId),
    /// An extra object: a directory of the manifest, and the name in it.
    Extra(EntryId, Box<[u8]>),
}

/// The kind of difference.
#[derive(Clone, Debug)]
pub enum What {
    /// The object does not exist.
    Missing,
    /// The object is not in the manifest.
    Extra,
    /// These keywords differ; the facts are those found.
    Differs(Keywords, Box<Facts>),
    /// It is not a hard link to its group, or is one to another object.
    LinkBroken,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Sorted by path, directories before their contents.
    pub differences: Vec<Difference>,
    /// What could not be compared, and why.
    pub troubles: Vec<Trouble>,
    /// The manifest has no entries, so nothing was compared.
    pub is_empty: bool,
    /// Number of objects compared.
    pub objects: u64,
    /// Number of files among them.
    pub files: u64,
    /// Number of files without a common digest: their content may differ.
    pub undigested: u64,
    /// Keywords of the manifest that were not compared.
    pub unchecked: Keywords,
    /// The subset of `unchecked` that describes the object and that nobody asked to ignore.
    pub uncheckable: Keywords,
}

/// The verdict on a comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// No difference that counts.
    Equal,
    /// A difference that counts.
    Different,
    /// Something could not be compared.
    Unchecked,
}

impl Comparison {
    /// The verdict. "Unchecked" takes precedence over "different".
    pub fn verdict(&self, level: Level) -> Verdict {
        let fails = |difference: &Difference| {
            difference.what.classes().into_iter().any(|class| level.fails(class))
        };
        let unchecked = self.undigested > 0 || !self.uncheckable.is_empty();
        if !self.troubles.is_empty() || unchecked && level == Level::Strict {
            Verdict::Unchecked
        } else if self.differences.iter().any(fails) {
            Verdict::Different
        } else if self.is_empty {
            Verdict::Unchecked
        } else {
            Verdict::Equal
        }
    }

    /// A sentence if the manifest is empty or the content of some files was not compared.
    pub fn caveat(&self) -> Option<String> {
        let Self { files, undigested, .. } = self;
        if self.is_empty {
            return Some(
                "the manifest has no entries: the program that wrote it may have failed".to_owned(),
            );
        }
        (*undigested > 0)
            .then(|| format!("content of {undigested} of {files} files not compared: no digest"))
    }

    /// The number of objects that differ, for each class with any.
    pub fn counts(&self) -> Vec<(Class, u64)> {
        let count = |class| {
            let differences = self.differences.iter();
            (class, differences.filter(|one| one.what.classes().contains(&class)).count() as u64)
        };
        Class::ALL.into_iter().map(count).filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn sort(&mut self, manifest: &Manifest) {
        self.differences.sort_by_cached_key(|difference| {
            // Joining with NUL, which sorts before all other bytes, puts a directory before its
            // contents.
            let path = difference.object.path(manifest).into_iter();
            path.map(|byte| if byte == b'/' { 0 } else { byte }).collect::<Vec<_>>()
        });
        self.troubles.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    }
}

impl Object {
    /// The path from the root, such as `a/b`; empty for the root.
    pub fn path(&self, manifest: &Manifest) -> Vec<u8> {
        match self {
            Self::Entry(id) => manifest.path(*id),
            Self::Extra(parent, name) if *parent == EntryId::ROOT => name.to_vec(),
            Self::Extra(parent, name) => [&manifest.path(*parent), &b"/"[..], name].concat(),
        }
    }
}

impl What {
    /// The classes of the difference.
    pub fn classes(&self) -> Vec<Class> {
        match self {
            Self::Missing => vec![Class::Missing],
            Self::Extra => vec![Class::Extra],
            Self::LinkBroken => vec![Class::HardLink],
            Self::Differs(keywords, _) => {
                let mut classes: Vec<_> = keywords.iter().map(Class::of).collect();
                classes.sort_unstable();
                classes.dedup();
                classes
            }
        }
    }
}
