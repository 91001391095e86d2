//! Findings: what is wrong, and what to do about it.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Worth a look; nothing fails because of it.
    Warning,
    /// Something fails, or somebody can do what he should not.
    Fault,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How bad it is.
    pub level: Level,
    /// A stable name of what was looked for: `spool-missing`.
    pub name: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    pub(super) fn fault(name: &'static str, what: String, advice: impl Into<String>) -> Self {
        Self { level: Level::Fault, name, what, advice: advice.into() }
    }

    pub(super) fn warning(name: &'static str, what: String, advice: impl Into<String>) -> Self {
        Self { level: Level::Warning, name, what, advice: advice.into() }
    }
}

/// `1 file`, `2 files`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
