//! The library against `testvectors/`: bytes made by the reference, and bytes nobody may believe.

#![allow(missing_docs, clippy::unwrap_used)]

mod chunked;
mod eblob;
mod keys;
mod mth;
mod niceness;
mod opened;
mod refused;
mod sealed;

use serde_json::Value;
use std::path::PathBuf;

/// The bytes of a file under `testvectors/`.
fn file(path: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testvectors");
    std::fs::read(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&file(path)).unwrap()
}

/// The entries of a JSON list, which must not be empty: a test of nothing would pass.
fn list(value: &Value) -> &[Value] {
    let list = value.as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| panic!("{key} of {entry}"))
}

fn number(entry: &Value, key: &str) -> u64 {
    entry[key].as_u64().unwrap_or_else(|| panic!("{key} of {entry}"))
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// The payload of most vectors: byte i is i mod 251.
fn rule(length: u64) -> Vec<u8> {
    (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect()
}
