//! Errors in the value of a keyword.

/// Why a value is not legal for its keyword.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// The keyword needs a value.
    #[error("it needs a value")]
    Missing,
    /// The value has the wrong form.
    #[error("not a legal value")]
    Malformed,
    /// The number is too large.
    #[error("out of range")]
    OutOfRange,
}
