//! Names of ledgers and media.

use crate::base32;
use std::fmt;
use std::str::FromStr;

/// Random bytes of a [`Name`].
const NAME_LEN: usize = 16;

/// Which ledger speaks: random, made when a node's ledger is made.
pub type LedgerId = Name<0>;
/// Which medium is meant: random, made when it is registered.
pub type MediumId = Name<1>;

/// 16 random bytes that name something, 26 characters of base32 as text. `KIND` keeps names of different things
/// apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Name<const KIND: u8>(pub [u8; NAME_LEN]);

impl<const KIND: u8> fmt::Display for Name<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&base32::encode(&self.0))
    }
}

/// The text is not the name of a ledger or a medium.
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
