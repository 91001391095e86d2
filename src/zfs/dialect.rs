//! The dialects of `zfs`: OpenZFS and zfs-fuse.

use super::command::{Zfs, ZfsError};

/// What this `zfs` supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenZFS: bookmarks, `receive -o`, `written`, resume tokens.
    Open,
    /// zfs-fuse and others of its age: none of these.
    Fuse,
}

impl Dialect {
    /// Runs `zfs` and reads the dialect from its usage text.
    ///
    /// # Errors
    /// If `zfs` cannot be run.
    pub fn probe(zfs: &Zfs) -> Result<Self, ZfsError> {
        let (_, words) = zfs.run(&["bookmark"])?;
        let fuse = words.contains("unrecognized command");
        Ok(if fuse { Self::Fuse } else { Self::Open })
    }
}
