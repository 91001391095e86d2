//! The builtins, by the names that a configuration calls them.

use super::{mtree_verify, zfs_receipt};
use crate::nearest::nearest;
use crate::settings::Settings;
use crate::zfs::receive::RECEIVE_SETTINGS;
use std::fmt;

/// A handler that is part of packmule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// A tree held against its manifest.
    MtreeVerify,
    /// What a destination of ours holds.
    ZfsReceipt,
    /// ZFS streams applied.
    ZfsReceive,
}

/// There is none of this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no builtin is called {name:?}: {}", nearest(name, Builtin::ALL.map(Builtin::name)))]
pub struct NoBuiltin {
    name: String,
}

impl Builtin {
    /// What stands before the name of one.
    pub const PREFIX: &str = "builtin:";

    const ALL: [Self; 3] = [Self::MtreeVerify, Self::ZfsReceipt, Self::ZfsReceive];

    fn name(self) -> &'static str {
        match self {
            Self::MtreeVerify => "mtree-verify",
            Self::ZfsReceipt => "zfs-receipt",
            Self::ZfsReceive => "zfs-receive",
        }
    }

    /// The builtin that a handler's first word names; `None` when it is an external command.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn of(word: &[u8]) -> Result<Option<Self>, NoBuiltin> {
        let Some(name) = word.strip_prefix(Self::PREFIX.as_bytes()) else { return Ok(None) };
        let found = Self::ALL.into_iter().find(|builtin| builtin.name().as_bytes() == name);
        found
            .map(Some)
            .ok_or_else(|| NoBuiltin { name: String::from_utf8_lossy(name).into_owned() })
    }

    /// The builtin of this name, without the prefix.
    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    /// What its configured words may be.
    pub fn settings(self) -> Settings {
        match self {
            Self::MtreeVerify => mtree_verify::SETTINGS,
            Self::ZfsReceipt => zfs_receipt::SETTINGS,
            Self::ZfsReceive => RECEIVE_SETTINGS,
        }
    }

    /// Whether configured words name this one.
    pub fn is_in(self, words: &[String]) -> bool {
        words.first().is_some_and(|word| Self::of(word.as_bytes()) == Ok(Some(self)))
    }
}

impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.name())
    }
}
