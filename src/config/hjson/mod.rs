//! Hjson, the notation of the configuration, in the reference's dialect.

mod read;
mod tree;

pub use read::{Fault, HjsonError, read};
pub use tree::Tree;
