//! Warnings about a manifest that can be read.

/// A peculiarity of a manifest that can be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Warning {
    /// An unknown keyword.
    #[error("keyword {0} is unknown, so it is not checked")]
    UnknownKeyword(String),
    /// Two entries for one object; the last one counts.
    #[error("{0} has two entries; the last one counts")]
    Twice(String),
    /// More `..` lines than directories.
    #[error("a .. above the root")]
    AboveRoot,
    /// A digest on something that is not a file.
    #[error("{0} has a digest but is not a file; the digest is not checked")]
    DigestOfNoFile(String),
    /// libarchive's `contents`, which names a file to take data from.
    #[error("contents= names another file; it is ignored")]
    Contents,
    /// A `#:hardlink` comment for an unknown object.
    #[error("a #:hardlink line names an object that is not in the manifest")]
    HardLink,
}

/// Limit for the number of warnings.
pub(super) const MOST_WARNINGS: usize = 1000;

/// The warnings about a manifest that is being read.
#[derive(Default)]
pub(super) struct Warnings {
    /// The current line.
    pub(super) line: u64,
    list: Vec<(u64, Warning)>,
}

impl Warnings {
    /// Adds a warning about the current line, unless the limit is reached.
    pub(super) fn add(&mut self, warning: Warning) {
        if self.list.len() < MOST_WARNINGS {
            self.list.push((self.line, warning));
        }
    }

    /// The warnings with their line numbers.
    pub(super) fn into_list(self) -> Vec<(u64, Warning)> {
        self.list
    }
}
