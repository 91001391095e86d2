//! The 32-byte identifiers of nodes, areas, packets and area messages, each a type of its own.

use crate::base32::{self, Base32Error};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use std::fmt;
use std::str::FromStr;

/// Characters of a 32-byte identifier in base32.
pub const TEXT_LEN: usize = 52;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// Not base32.
    #[error(transparent)]
    Base32(#[from] Base32Error),
    /// Base32 of another length than 32 bytes.
    #[error("invalid size: {0} bytes instead of 32")]
    Size(usize),
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&base32::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let bytes = base32::decode(text)?;
                let size = bytes.len();
                Ok(Self(bytes.try_into().map_err(|_| ParseIdError::Size(size))?))
            }
        }

        impl $name {
            /// Parses a file name: exactly the 52 characters that [`Display`](fmt::Display) writes,
            /// and no other spelling.
            pub fn from_file_name(name: &str) -> Option<Self> {
                (name.len() == TEXT_LEN).then(|| name.parse().ok())?.filter(|id: &Self| id.to_string() == name)
            }
        }
    };
}

identifier! {
    /// A node: BLAKE2b-256 of its public signing key. NNCP manual, "Packet format".
    NodeId
}

identifier! {
    /// An area: BLAKE2b-256 of its public encryption key. NNCP manual, "Multicast areas".
    AreaId
}

identifier! {
    /// A packet: the Merkle tree hash of the whole encrypted packet. It is the packet's name.
    PacketHash
}

identifier! {
    /// A message in an area: BLAKE2b-256 of the 172 header bytes of its area-encrypted packet,
    /// which stay the same on every hop.
    AreaMessageId
}

/// BLAKE2b with a 32-byte digest, which all identifiers use except packet names.
pub fn blake2b_256(bytes: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::digest(bytes).into()
}

impl NodeId {
    /// The id of the node with this signing key.
    pub fn of_signing_key(signpub: &[u8; 32]) -> Self {
        Self(blake2b_256(signpub))
    }
}

impl AreaId {
    /// The id of the area with this public key.
    pub fn of_public_key(public: &[u8; 32]) -> Self {
        Self(blake2b_256(public))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_52_characters_and_reads_back() {
        let id = NodeId([0xAB; 32]);
        assert_eq!(id.to_string().len(), TEXT_LEN);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(NodeId::from_file_name(&id.to_string()), Some(id));
    }

    #[test]
    fn only_the_canonical_spelling_is_a_file_name() {
        let id = PacketHash([0; 32]);
        let stray = format!("{}B", &id.to_string()[..51]);
        assert_eq!(stray.parse(), Ok(id), "as an argument it is tolerated");
        assert_eq!(PacketHash::from_file_name(&stray), None);
        assert_eq!(PacketHash::from_file_name("MZXW6"), None);
        assert_eq!(PacketHash::from_file_name(&format!("{id}\n")), None);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert_eq!("MZXW6".parse::<NodeId>(), Err(ParseIdError::Size(3)));
    }
}
