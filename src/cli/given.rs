//! Records which flags the command line gave, also those that equal their default.

use super::flag::{Flag, Flags};
use super::value::Value;
use std::collections::BTreeSet;

/// A group without flags, for `use given: Given;` in `flags!`. Records the name of each flag that the
/// command line gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(BTreeSet<String>);

impl Given {
    /// True if the command line gave the flag `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Flags for Given {
    fn declared() -> Vec<Flag> {
        Vec::new()
    }

    fn value(&mut self, _name: &str) -> Option<&mut dyn Value> {
        None
    }

    fn setting(&mut self, _key: &str) -> Option<(&'static str, &mut dyn Value)> {
        None
    }

    fn note(&mut self, name: &str) {
        self.0.insert(name.to_owned());
    }
}
