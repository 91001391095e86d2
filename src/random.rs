//! The operating system's random numbers: the one place that asks for them.

use packmule_protocol::seed::Seed;
use std::io;

/// The operating system's random number generator failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

impl From<NoRandomness> for io::Error {
    fn from(error: NoRandomness) -> Self {
        Self::other(error)
    }
}

/// A seed for one key or salt.
///
/// # Errors
/// [`NoRandomness`].
pub(crate) fn seed() -> Result<Seed, NoRandomness> {
    Ok(Seed::from_source(getrandom::fill)?)
}

/// A number for the name of a temporary file.
///
/// # Errors
/// [`NoRandomness`].
pub(crate) fn number() -> Result<u64, NoRandomness> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_comes_twice() {
        assert_ne!(number(), number());
    }
}
