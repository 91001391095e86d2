//! Packets on removable media and in bundles.

pub mod xfer;
