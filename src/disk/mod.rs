//! Everything that changes a disk: operations, their errors, durability, and names that stay below a
//! directory.
//!
//! There are few operations, so that tests can stop a node at each one (`fault`).

mod at;
pub(crate) mod below;
pub(crate) mod beneath;
pub(crate) mod confined;
mod dir;
mod durable;
mod error;
#[cfg(test)]
pub(crate) mod fault;
mod open;
mod ops;
mod publish;
pub(crate) mod sharing;
mod step;
mod write_out;

pub(crate) use at::{At, parent};
pub(crate) use below::{Below, PathError, is_file_name};
pub(crate) use dir::OpenDir;
pub(crate) use error::{DiskError, Op, Result};
pub(crate) use open::{NotRegular, entries, files, open_regular, open_regular_path};
pub(crate) use ops::Disk;
pub(crate) use publish::{Before, Named, Temporary, first_free};
pub(crate) use write_out::WriteOut;
