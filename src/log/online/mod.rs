//! The events of calls: sessions, the packets they move, schedules and discovery.

mod call;
mod discovery;
mod session;

pub(crate) use call::*;
pub(crate) use discovery::*;
pub(crate) use session::*;
