//! ZFS: parses and checks send streams, decides what to do with them, and runs `zfs`. Knows nothing
//! of packets.

pub(crate) mod clone;
pub mod command;
pub mod decide;
pub mod dialect;
pub(crate) mod failure;
mod get;
pub(crate) mod guid;
mod lines;
pub mod lock;
pub(crate) mod mounts;
pub mod name;
mod offer;
mod outcome;
mod pieces;
pub(crate) mod pool;
pub(crate) mod reason;
pub mod receipt;
pub mod receive;
pub mod send;
pub(crate) mod state;
pub(crate) mod status;
pub mod stream;
mod written;
