//! What may be odd in a manifest that can be read.

/// What was odd about a manifest that could be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Warning {
    /// Nobody checks this keyword.
    #[error("keyword {0} is not known and not checked")]
    UnknownKeyword(String),
    /// The last entry counts.
    #[error("{0} is there twice; the last entry counts")]
    Twice(String),
    /// More `..` than directories.
    #[error("a .. above the root")]
    AboveRoot,
    /// Only a file has content.
    #[error("{0} is not a file and has a digest, which is not checked")]
    DigestOfNoFile(String),
    /// libarchive's `contents`: the file to take data from.
    #[error("contents= names another file, which is never opened")]
    Contents,
    /// A `#:hardlink` comment that makes no sense.
    #[error("a #:hardlink line that names nothing in the manifest")]
    HardLink,
}

/// How many warnings are kept.
pub(super) const MOST_WARNINGS: usize = 1000;

/// The warnings of a manifest that is being read.
#[derive(Default)]
pub(super) struct Warnings {
    /// The line that is being read.
    pub(super) line: u64,
    list: Vec<(u64, Warning)>,
}

impl Warnings {
    /// Adds a warning about the line that is being read, if there are not too many.
    pub(super) fn add(&mut self, warning: Warning) {
        if self.list.len() < MOST_WARNINGS {
            self.list.push((self.line, warning));
        }
    }

    /// The warnings, by line.
    pub(super) fn into_list(self) -> Vec<(u64, Warning)> {
        self.list
    }
}
