//! Options for reading a manifest.

/// Limits for a manifest.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Length of a line with its continuations, in bytes.
    pub line: usize,
    /// Number of objects.
    pub entries: usize,
    /// Depth of directories.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 1 << 20, entries: 100_000_000, depth: 10_000 }
    }
}

/// Options for reading a manifest.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// Limits.
    pub limits: Limits,
    /// Allow several entries of different types for one path; the last one counts.
    pub merge: bool,
}
