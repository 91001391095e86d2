//! Packets on removable media and in bundles.

pub mod bundle;
pub mod xfer;
