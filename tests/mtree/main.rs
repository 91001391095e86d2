//! `packmule mtree` as it is used: beside NetBSD's mtree and bsdtar, on hostile trees, on archives,
//! and across an airgap.

#![allow(clippy::unwrap_used, reason = "a helper of a test is a test")]

mod airgap;
mod archive;
mod handle;
mod hostile;
mod peers;
mod tools;
