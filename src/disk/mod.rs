//! Everything that changes a disk: the operations and their errors, what survives a power cut, names that
//! stay below a directory.
//!
//! Operations are few, so that tests can stop a node at each of them (`fault`).

pub mod below;
pub(crate) mod beneath;
pub(crate) mod confined;
pub mod durable;
mod error;
#[cfg(test)]
pub(crate) mod fault;
mod open;
mod ops;
pub mod sharing;
mod step;
mod write_out;

pub use below::{Below, PathError, is_file_name};
pub use error::{DiskError, Op, Result};
pub use open::{NotRegular, entries, files, open_regular, open_regular_path};
pub use ops::{Disk, rename_new};
pub use write_out::WriteOut;
