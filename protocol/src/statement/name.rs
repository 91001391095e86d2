//! Names of ledgers and media.

use crate::base32;
use std::fmt;
use std::str::FromStr;

/// Length of a [`Name`] in bytes.
const NAME_LEN: usize = 16;

/// The name of a ledger: random, made together with the ledger.
pub type LedgerId = Name<0>;
/// The name of a medium: random, made when the medium is registered.
pub type MediumId = Name<1>;

/// A name of 16 random bytes; as text, 26 characters of base32. `KIND` distinguishes the types of
/// named things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Name<const KIND: u8>(pub [u8; NAME_LEN]);

impl<const KIND: u8> fmt::Display for Name<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&base32::encode(&self.0))
    }
}

/// The text is not such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not 26 characters of base32")]
pub struct NotAName;

impl<const KIND: u8> FromStr for Name<KIND> {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let bytes = base32::decode(text).map_err(|_| NotAName)?;
        let name = Self(bytes.try_into().map_err(|_| NotAName)?);
        if name.to_string() == text { Ok(name) } else { Err(NotAName) }
    }
}
