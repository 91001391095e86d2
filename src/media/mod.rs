//! Packets on removable media and in bundles.
//!
//! Each medium is a folder. `intake` stores packets from all of them in the spool.

pub(crate) mod bundle;
mod intake;
mod options;
mod report;
pub(crate) mod xfer;

pub use options::Options;
pub use report::{Broken, Report};
