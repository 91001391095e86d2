//! What may be wrong with the value of a keyword.

/// A value that its keyword does not allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// A keyword that stands for a value stands alone.
    #[error("it needs a value")]
    Missing,
    /// Not what the keyword is followed by.
    #[error("not a value it can have")]
    Malformed,
    /// A number beyond what any system can mean.
    #[error("out of range")]
    OutOfRange,
}
