//! What comes of reading a manifest.

use super::super::manifest::Manifest;
use super::warning::Warning;

/// Whether a manifest says that it is all there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trailer {
    /// It does not say.
    Absent,
    /// It does, and it is.
    Whole,
    /// It does, and something is missing, added or changed.
    Broken,
}

/// A manifest, and how it was to read.
#[derive(Debug)]
pub struct Reading {
    /// The manifest.
    pub manifest: Manifest,
    /// What was odd, by line; no more than a thousand.
    pub warnings: Vec<(u64, Warning)>,
    /// Whether it is all there.
    pub trailer: Trailer,
    /// It was read as names in directories that come before them, and may be meant as a list of
    /// what is in one directory: nothing in it tells.
    pub maybe_flat: bool,
}
