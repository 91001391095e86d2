//! The type of a builtin: one row of the table.

use super::call::{Call, Verdict};
use super::ordered::Pass;
use crate::settings::Settings;
use std::fmt;

/// A handler that is part of packmule.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The name in a configuration, without the prefix.
    pub(super) name: &'static str,
    /// The options that a configuration may give it.
    pub(super) settings: Settings,
    /// Checks the configured words, for packets of this author.
    pub(super) check: fn(&[String], &str) -> Result<(), String>,
    /// Runs it for a single packet.
    pub(super) run: fn(Call<'_>) -> Verdict,
    /// Starts a pass over all its packets, if it chooses their order.
    pub(super) ordered: Option<fn() -> Pass>,
}

impl Builtin {
    /// The prefix of a builtin's name in a configuration.
    pub const PREFIX: &str = "builtin:";

    /// The options that a configuration may give it.
    pub fn settings(self) -> Settings {
        self.settings
    }

    /// True if it chooses the order of its packets.
    pub fn chooses_order(self) -> bool {
        self.ordered.is_some()
    }

    /// Starts a pass over all its packets; `None` if it does not choose their order.
    pub fn ordered(self) -> Option<Pass> {
        self.ordered.map(|begin| begin())
    }
}

/// The name identifies a builtin.
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
