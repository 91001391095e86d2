//! Randomness from the caller: this crate never asks the operating system for any.

use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 random bytes for one use: a private key, a salt, the ephemeral key of a packet or a call.
///
/// Code that needs randomness takes a `Seed` by value, and a `Seed` cannot be cloned. So the
/// compiler rejects a second use, which for an ephemeral key would reveal the packet. Fill it from
/// a cryptographically secure generator, such as `getrandom::fill`. It is wiped when it is dropped.
///
/// ```
/// use packmule_protocol::keys::ExchangePrivate;
/// use packmule_protocol::seed::Seed;
///
/// let seed = Seed::from_source(getrandom::fill)?;
/// let key = ExchangePrivate::generate(seed);
/// # Ok::<(), getrandom::Error>(())
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed with these 32 bytes. Constant bytes are only for tests, since they make the same
    /// keys again.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A seed filled by `fill`, a random number generator that is called once.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn from_source<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = Self([0; 32]);
        fill(&mut seed.0)?;
        Ok(seed)
    }

    /// The bytes, for their single use.
    pub(crate) fn into_bytes(self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }
}

/// Shows none of the bytes.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_fails_gives_no_seed() {
        assert_eq!(Seed::from_source(|_| Err("dry")).err(), Some("dry"));
    }

    #[test]
    fn a_source_fills_all_32_bytes() {
        let fill = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok::<(), ()>(())
        };
        assert_eq!(Seed::from_source(fill).map(|seed| *seed.into_bytes()), Ok([7; 32]));
    }

    #[test]
    fn debug_output_shows_no_byte() {
        assert_eq!(format!("{:?}", Seed::from_bytes([0x12; 32])), "Seed(..)");
    }
}
