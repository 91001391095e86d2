//! 128 KiB blocks on all cores: packets sealed, opened and hashed in batches.
//!
//! [`packmule_protocol`] works on single blocks; the batching and the threads are here and nowhere
//! else. A batch of `BATCH` blocks is worked on by all cores while the batch before it is
//! written, so memory stays at a few batches however large the packet is.

mod ahead;
mod buffer;
mod fused;
mod hash;
mod head;
mod open;
mod pump;
mod reader;
mod seal;

pub(crate) use ahead::Ahead;
pub(crate) use fused::Fused;
#[cfg(test)]
pub(crate) use fused::{Again, ends_for_good};
pub(crate) use hash::{Hasher, copy, copy_hashed, hash};
pub(crate) use head::head;
pub(crate) use open::ReadError;
pub(crate) use reader::{PacketReader, copy_plain};
pub(crate) use seal::{Layer, Padding, SealError, seal};

/// Blocks worked on at a time: 2 MiB, enough to keep the cores busy.
const BATCH: usize = 16;
