//! Formats names, errors and sizes for people.

mod escape;
mod reason;
mod size;

pub(crate) use escape::escape;
pub(crate) use reason::reason;
pub(crate) use size::Size;
