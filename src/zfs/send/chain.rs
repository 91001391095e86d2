//! What must not change within a chain: a raw chain stays raw, and a chain with large blocks keeps
//! them. Both are read from the streams themselves.

use super::super::stream::{Begin, Features};
use std::fmt;

/// The features that every stream of a chain must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// Blocks encrypted as on disk.
    pub raw: bool,
    /// Blocks over 128 KiB.
    pub large_blocks: bool,
}

/// How a stream breaks the rules of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Departure {
    /// The base was sent raw.
    #[error("was sent raw so far, so this run needs option -w")]
    FromRaw,
    /// The base was not sent raw.
    #[error("was not sent raw so far, so option -w is not allowed")]
    ToRaw,
    /// The base was sent with large blocks.
    #[error("was sent with large blocks so far, so this run needs option -L")]
    FromLargeBlocks,
}

impl Chain {
    /// Checks that a stream with these features may follow `base`. Large blocks may begin at any
    /// stream.
    ///
    /// # Errors
    /// If the receiver would reject the stream.
    pub fn follows(self, base: Self) -> Result<(), Departure> {
        match (base.raw, self.raw) {
            (true, false) => Err(Departure::FromRaw),
            (false, true) => Err(Departure::ToRaw),
            _ if base.large_blocks && !self.large_blocks => Err(Departure::FromLargeBlocks),
            _ => Ok(()),
        }
    }

    /// Parses the end of a mark's name, which [`Chain`] displays.
    pub(super) fn from_suffix(text: &str) -> Self {
        let letters = text.strip_prefix(':').unwrap_or_default();
        Self { raw: letters.contains('w'), large_blocks: letters.contains('L') }
    }
}

impl From<&Begin> for Chain {
    fn from(begin: &Begin) -> Self {
        let has = |feature| begin.features.contains(feature);
        Self { raw: has(Features::RAW), large_blocks: has(Features::LARGE_BLOCKS) }
    }
}

/// A colon and the letters of the options of `zfs send`; empty if there are none.
impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.raw, self.large_blocks) {
            (false, false) => Ok(()),
            (true, false) => f.write_str(":w"),
            (false, true) => f.write_str(":L"),
            (true, true) => f.write_str(":wL"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_stays_raw_or_plain_and_keeps_its_large_blocks() {
        let chain = |raw, large_blocks| Chain { raw, large_blocks };
        assert_eq!(chain(false, true).follows(chain(false, false)), Ok(()));
        assert_eq!(chain(true, true).follows(chain(true, false)), Ok(()));
        assert_eq!(chain(false, false).follows(chain(true, false)), Err(Departure::FromRaw));
        assert_eq!(chain(true, true).follows(chain(false, true)), Err(Departure::ToRaw));
        assert_eq!(
            chain(false, false).follows(chain(false, true)),
            Err(Departure::FromLargeBlocks)
        );
        for (raw, large_blocks) in [(false, false), (false, true), (true, false), (true, true)] {
            let chain = chain(raw, large_blocks);
            assert_eq!(Chain::from_suffix(&chain.to_string()), chain);
        }
    }
}
