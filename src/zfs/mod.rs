//! ZFS: send streams parsed and checked, what to do with them, and `zfs` run. Knows nothing of
//! packets.

pub mod stream;
