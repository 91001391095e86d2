//! What a builtin is: a row of the table.

use super::call::{Call, Verdict};
use super::ordered::Pass;
use crate::settings::Settings;
use std::fmt;

/// A handler that is part of packmule.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// As a configuration calls it, without the prefix.
    pub(super) name: &'static str,
    /// What its configured words may be.
    pub(super) settings: Settings,
    /// Whether these words are its settings, for packets of this author.
    pub(super) check: fn(&[String], &str) -> Result<(), String>,
    /// Runs it on one packet alone.
    pub(super) run: fn(Call<'_>) -> Verdict,
    /// Begins a pass over all its packets, if it chooses their order.
    pub(super) ordered: Option<fn() -> Pass>,
}

impl Builtin {
    /// What stands before the name of one.
    pub const PREFIX: &str = "builtin:";

    /// What its configured words may be.
    pub fn settings(self) -> Settings {
        self.settings
    }

    /// Whether it chooses the order of its packets.
    pub fn chooses_order(self) -> bool {
        self.ordered.is_some()
    }

    /// Begins a pass over all its packets; `None` when it does not choose their order.
    pub fn ordered(self) -> Option<Pass> {
        self.ordered.map(|begin| begin())
    }
}

/// There is one of a name.
impl PartialEq for Builtin {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Builtin {}

impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.name)
    }
}
