//! Everything that changes a disk: the operations and their errors, what survives a power cut, names that
//! stay below a directory.
//!
//! Operations are few, so that tests can stop a node at each of them (`ops::fault`).

pub mod below;
pub(crate) mod beneath;
pub(crate) mod confined;
pub mod durable;
pub mod ops;
pub mod sharing;

pub use below::{Below, PathError, is_file_name};
#[cfg(test)]
pub(crate) use ops::fault;
pub use ops::{
    Disk, DiskError, NotRegular, Op, Result, WriteOut, entries, files, open_regular,
    open_regular_path, rename_new,
};
