//! A configuration as a tree of values, wiped when it is dropped: private keys are in it.

use serde_json::Value;
use std::{fmt, ops::Deref};
use zeroize::Zeroize;

/// The values a configuration text holds. Dropped, it overwrites every string.
#[derive(Clone, PartialEq)]
pub struct Tree(Value);

impl Tree {
    /// Takes charge of `value`.
    pub fn new(value: Value) -> Self {
        Self(value)
    }
}

impl Deref for Tree {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Shows nothing of what it holds.
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
