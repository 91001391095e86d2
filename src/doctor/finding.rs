//! Findings: a fault and how to repair it.

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Nothing fails because of it, but a person should check it.
    Warning,
    /// Something fails, or is insecure.
    Fault,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Its severity.
    pub level: Level,
    /// A stable name of the check: `spool-missing`.
    pub name: &'static str,
    /// The fault, with the object.
    pub what: String,
    /// How to repair it.
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
