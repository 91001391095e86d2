//! Packets on removable media and in bundles.
