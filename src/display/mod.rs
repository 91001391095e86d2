//! How names, errors and sizes are shown to people.

mod escape;
mod reason;
mod size;

pub use escape::escape;
pub use reason::reason;
pub use size::Size;
