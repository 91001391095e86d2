//! Hjson, the notation of the configuration, in the reference's dialect.

mod print;
mod read;
mod tree;

pub use print::{key, print};
pub use read::{Fault, HjsonError, read};
pub use tree::Tree;
