//! How names, errors and sizes are shown to people.

mod escape;
mod reason;
mod size;

pub(crate) use escape::escape;
pub(crate) use reason::reason;
pub(crate) use size::Size;
