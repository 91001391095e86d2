//! The table of builtins.

use super::builtin::Builtin;
use super::call::{Call, Verdict};
use super::external::{External, Search};
use super::{mtree_verify, zfs_receipt, zfs_receive};
use crate::nearest::nearest;

const ALL: [Builtin; 3] = [mtree_verify::BUILTIN, zfs_receipt::BUILTIN, zfs_receive::BUILTIN];

/// No builtin has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no builtin is called {name:?}: {}", nearest(name, ALL.map(|builtin| builtin.name)))]
pub struct NoBuiltin {
    name: String,
}

impl Builtin {
    /// `builtin:zfs-receive`.
    pub const ZFS_RECEIVE: Self = zfs_receive::BUILTIN;

    /// The builtin that a handler's first word names; `None` for an external command.
    ///
    /// # Errors
    /// If no builtin has that name.
    pub fn of(word: &[u8]) -> Result<Option<Self>, NoBuiltin> {
        let Some(name) = word.strip_prefix(Self::PREFIX.as_bytes()) else { return Ok(None) };
        let found = ALL.into_iter().find(|builtin| builtin.name.as_bytes() == name);
        found
            .map(Some)
            .ok_or_else(|| NoBuiltin { name: String::from_utf8_lossy(name).into_owned() })
    }

    /// The builtin with this name, without the prefix.
    pub fn called(name: &str) -> Option<Self> {
        ALL.into_iter().find(|builtin| builtin.name == name)
    }

    /// The builtin that the configured words name, if they name one.
    pub fn named_by(words: &[String]) -> Option<Self> {
        Self::of(words.first()?.as_bytes()).ok().flatten()
    }

    /// True if the configured words name this builtin.
    pub fn is_in(self, words: &[String]) -> bool {
        Self::named_by(words) == Some(self)
    }
}

/// Runs a handler.
pub(crate) fn run(call: Call<'_>, search: &Search) -> Verdict {
    let first = call.words.first().map_or(&[][..], Vec::as_slice);
    if let Some(function) = search.function(first) {
        return function(call);
    }
    match Builtin::of(first) {
        Ok(None) => External::run(call, search),
        Ok(Some(builtin)) => (builtin.run)(call),
        Err(error) => Verdict::Failed { reason: error.to_string(), output: Vec::new() },
    }
}
