//! Hjson, the notation of the configuration, in the reference's dialect.

mod literal;
mod note;
mod print;
mod read;
mod tree;

pub use note::{Note, Swallowed};
pub use print::{key, print};
pub use read::{Fault, HjsonError, read};
pub use tree::Tree;
