//! The contents of an nvlist.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Pairs in packed order. A hostile list may repeat names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List(pub Vec<(String, Value)>);

/// A value of a pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A boolean without a value; it is true if the pair exists.
    Present,
    /// A boolean with a value.
    Flag(bool),
    /// A signed integer of any size, or a time.
    Int(i64),
    /// An unsigned integer of any size.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A string.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Booleans.
    Flags(Vec<bool>),
    /// Signed integers of any size.
    Ints(Vec<i64>),
    /// Unsigned integers of any size.
    Uints(Vec<u64>),
    /// Strings.
    Texts(Vec<String>),
    /// A list.
    List(List),
    /// Lists.
    Lists(Vec<List>),
}

/// Why the bytes are not a packed nvlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NvError {
    /// The bytes end inside the list.
    #[error("ends inside the list")]
    Short,
    /// The encoding is neither XDR nor native.
    #[error("unknown encoding")]
    Encoding,
    /// A version other than 0.
    #[error("unknown version")]
    Version,
    /// An unknown value type.
    #[error("unknown value type {0}")]
    Type(u32),
    /// A size does not match its contents.
    #[error("a size does not fit what it holds")]
    Size,
    /// Nested too deeply.
    #[error("nested too deeply")]
    Depth,
}

impl List {
    /// The first value with this name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Present => true.serialize(serializer),
            Self::Flag(value) => value.serialize(serializer),
            Self::Int(value) => value.serialize(serializer),
            Self::Uint(value) => value.serialize(serializer),
            Self::Double(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::Bytes(value) => value.serialize(serializer),
            Self::Flags(value) => value.serialize(serializer),
            Self::Ints(value) => value.serialize(serializer),
            Self::Uints(value) => value.serialize(serializer),
            Self::Texts(value) => value.serialize(serializer),
            Self::List(value) => value.serialize(serializer),
            Self::Lists(value) => value.serialize(serializer),
        }
    }
}
