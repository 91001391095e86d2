//! The sender's byte order, which holds for a whole stream.

use serde::Serialize;

/// Order of the bytes in every integer of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The 32-bit integer at `offset`, which lies within `bytes`.
    pub(super) fn u32(self, bytes: &[u8], offset: usize) -> u32 {
        let word = bytes[offset..offset + 4].try_into().expect("four bytes were cut");
        match self {
            Self::Little => u32::from_le_bytes(word),
            Self::Big => u32::from_be_bytes(word),
        }
    }

    /// The 64-bit integer at `offset`, which lies within `bytes`.
    pub(super) fn u64(self, bytes: &[u8], offset: usize) -> u64 {
        let word = bytes[offset..offset + 8].try_into().expect("eight bytes were cut");
        match self {
            Self::Little => u64::from_le_bytes(word),
            Self::Big => u64::from_be_bytes(word),
        }
    }
}
