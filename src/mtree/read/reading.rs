//! The result of reading a manifest.

use super::super::manifest::Manifest;
use super::warning::Warning;

/// Whether a manifest has a trailer, by which a truncated one is recognised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trailer {
    /// There is no trailer.
    Absent,
    /// The trailer matches.
    Whole,
    /// The trailer does not match: lines are missing, added or changed.
    Broken,
}

/// A manifest, and remarks on its text.
#[derive(Debug)]
pub struct Reading {
    /// The manifest.
    pub manifest: Manifest,
    /// Warnings with their line numbers; at most a thousand.
    pub warnings: Vec<(u64, Warning)>,
    /// The result of checking the trailer.
    pub trailer: Trailer,
    /// Names were put into the directories before them, but may be a flat list of one directory.
    /// Nothing in the manifest says which.
    pub maybe_flat: bool,
}
