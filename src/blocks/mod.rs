//! Encrypts, decrypts and hashes the 128 KiB blocks of packets in batches, on all cores.
//!
//! [`packmule_protocol`] works on single blocks; only this folder has batches and threads. All
//! cores work on a batch of `BATCH` blocks while the previous batch is written. So memory is
//! limited to a few batches, however large the packet is.

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

/// Blocks per batch: 2 MiB, enough to keep all cores busy.
const BATCH: usize = 16;
