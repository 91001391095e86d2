//! Reads a manifest in any dialect.
//!
//! Manifests come from other nodes. Whatever they contain, memory is limited by their length and by
//! [`Limits`], no name leaves the tree, and an error names its line.

mod fault;
mod names;
mod options;
mod path;
mod reader;
mod reading;
#[cfg(test)]
mod tests;
mod tree;
mod values;
mod warning;
mod word;

pub use fault::{Fault, ReadError};
pub use options::{Limits, ReadOptions};
pub use reader::read;
pub use reading::{Reading, Trailer};
pub use warning::Warning;
