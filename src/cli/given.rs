//! Which flags the command line gave: a flag that equals its default was given all the same.

use super::flag::{Flag, Flags};
use super::value::Value;
use std::collections::BTreeSet;

/// A group without flags of its own, for `use given: Given;` in `flags!`: it
/// records the name of each flag of the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(BTreeSet<String>);

impl Given {
    /// Whether the command line gave the flag `name`.
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
