//! Members of a JSON object, asked for by name and kind: files of the ledger may hold anything.

use packmule_protocol::id::{NodeId, PacketHash};
use serde_json::{Map, Value};

/// One object.
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    /// The members of `value`; `None` if it is no object.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    pub(super) fn time(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_i64()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    /// The elements of an array that `read` can read; none without the array.
    pub(super) fn list<T>(&self, key: &str, read: impl Fn(&'a Value) -> Option<T>) -> Vec<T> {
        let array = self.get(key).and_then(Value::as_array);
        array.into_iter().flatten().filter_map(read).collect()
    }
}

/// A node, as text.
pub(super) fn node(value: &Value) -> Option<NodeId> {
    NodeId::from_file_name(value.as_str()?)
}

/// A packet, as text.
pub(super) fn packet(value: &Value) -> Option<PacketHash> {
    PacketHash::from_file_name(value.as_str()?)
}
