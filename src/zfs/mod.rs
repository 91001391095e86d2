//! ZFS: send streams parsed and checked, what to do with them, and `zfs` run. Knows nothing of
//! packets.

pub mod clone;
pub mod command;
pub mod decide;
pub(crate) mod guid;
mod lines;
pub mod lock;
pub mod mounts;
pub mod name;
mod outcome;
mod pieces;
pub mod pool;
pub mod reason;
pub mod receipt;
pub mod receive;
pub mod send;
pub mod status;
pub mod stream;
pub mod words;
