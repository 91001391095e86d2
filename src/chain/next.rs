//! What a receiver that chooses the order of what waits wants next.

/// What is to be done with one of those that wait, which have keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T> {
    /// Apply this one.
    Apply(usize),
    /// This is what becomes of that one; nothing was run.
    Answer(usize, T),
}

impl<T> Next<T> {
    /// The same, with its answer seen as something else.
    pub fn map<U>(self, see: impl FnOnce(T) -> U) -> Next<U> {
        match self {
            Self::Apply(key) => Next::Apply(key),
            Self::Answer(key, answer) => Next::Answer(key, see(answer)),
        }
    }
}
