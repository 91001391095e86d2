//! What a comparison found, object by object.

use super::compare::{Class, Level};
use super::create::Trouble;
use super::entry::EntryId;
use super::facts::Facts;
use super::keyword::Keywords;
use super::manifest::Manifest;

/// One object that is not as expected.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Which object.
    pub object: Object,
    /// What is wrong with it.
    pub what: What,
}

/// Where a difference is.
#[derive(Clone, Debug)]
pub enum Object {
    /// At an object of the manifest.
    Entry(EntryId),
    /// At something in a directory of the manifest that it does not name.
    Extra(EntryId, Box<[u8]>),
}

/// What is wrong with an object.
#[derive(Clone, Debug)]
pub enum What {
    /// It is not there.
    Missing,
    /// It is there and should not be.
    Extra,
    /// These keywords have other values.
    Differs(Keywords, Box<Facts>),
    /// It is not one file with another of its names, or one with a name of something else.
    LinkBroken,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// By path, directories before what is in them.
    pub differences: Vec<Difference>,
    /// What could not be compared.
    pub troubles: Vec<Trouble>,
    /// The manifest names nothing at all, so that nothing was compared.
    pub is_empty: bool,
    /// Objects compared.
    pub objects: u64,
    /// Files among them.
    pub files: u64,
    /// Files of which no digest was known to compare: their content may differ.
    pub undigested: u64,
    /// Keywords of the manifest that were not compared.
    pub unchecked: Keywords,
    /// Those among them that tell of the object and that nobody asked to ignore.
    pub uncheckable: Keywords,
}

/// How a comparison ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Nothing differs that matters.
    Equal,
    /// Something does.
    Different,
    /// Something could not be compared.
    Unchecked,
}

impl Comparison {
    /// How the comparison ended. What could not be checked weighs more than what differs.
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

    /// That the manifest is empty, or the content of some files was not compared, and why.
    pub fn caveat(&self) -> Option<String> {
        let Self { files, undigested, .. } = self;
        if self.is_empty {
            return Some("the manifest names nothing: what was to write it has failed".to_owned());
        }
        (*undigested > 0)
            .then(|| format!("content of {undigested} of {files} files not compared: no digest"))
    }

    /// How many objects differ in each class, of those in which any does.
    pub fn counts(&self) -> Vec<(Class, u64)> {
        let count = |class| {
            let differences = self.differences.iter();
            (class, differences.filter(|one| one.what.classes().contains(&class)).count() as u64)
        };
        Class::ALL.into_iter().map(count).filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn sort(&mut self, manifest: &Manifest) {
        self.differences.sort_by_cached_key(|difference| {
            // NUL, which no name holds, sorts before every byte that one does.
            let path = difference.object.path(manifest).into_iter();
            path.map(|byte| if byte == b'/' { 0 } else { byte }).collect::<Vec<_>>()
        });
        self.troubles.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    }
}

impl Object {
    /// The path from the root: `a/b`; nothing for the root.
    pub fn path(&self, manifest: &Manifest) -> Vec<u8> {
        match self {
            Self::Entry(id) => manifest.path(*id),
            Self::Extra(parent, name) if *parent == EntryId::ROOT => name.to_vec(),
            Self::Extra(parent, name) => [&manifest.path(*parent), &b"/"[..], name].concat(),
        }
    }
}

impl What {
    /// The classes of what is wrong.
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
