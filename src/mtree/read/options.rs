//! How a manifest is to be read.

/// What a manifest may cost us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a line, continuations joined.
    pub line: usize,
    /// Objects.
    pub entries: usize,
    /// Directories within each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 1 << 20, entries: 100_000_000, depth: 10_000 }
    }
}

/// How a manifest is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// What it may cost.
    pub limits: Limits,
    /// Entries for one path may differ in type; the last wins.
    pub merge: bool,
}
