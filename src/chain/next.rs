//! The next action of a receiver that chooses the order of waiting steps.

/// The action for one waiting step, which is named by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T> {
    /// Apply this one.
    Apply(usize),
    /// This is the outcome of that one; it is not applied.
    Answer(usize, T),
}

impl<T> Next<T> {
    /// Converts the outcome.
    pub fn map<U>(self, see: impl FnOnce(T) -> U) -> Next<U> {
        match self {
            Self::Apply(key) => Next::Apply(key),
            Self::Answer(key, answer) => Next::Answer(key, see(answer)),
        }
    }
}
