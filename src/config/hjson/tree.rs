//! A configuration as a tree of values. Dropping it wipes all strings: some are private keys.

use super::note::Note;
use serde_json::Value;
use std::fmt;
use std::ops::Deref;
use zeroize::Zeroize;

/// The values of a configuration text. Dropping it overwrites every string.
#[derive(Clone, PartialEq)]
pub struct Tree {
    value: Value,
    notes: Vec<Note>,
}

impl Tree {
    /// Takes ownership of `value`, and wipes it when dropped.
    pub fn new(value: Value) -> Self {
        Self { value, notes: Vec::new() }
    }

    /// The same tree with the notes of its parser.
    pub(super) fn with_notes(mut self, notes: Vec<Note>) -> Self {
        self.notes = notes;
        self
    }

    /// The parser's notes on its text.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl Deref for Tree {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.value
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        wipe(&mut self.value);
    }
}

/// Shows no value, because some are secret.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tree(..)")
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
