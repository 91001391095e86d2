//! Chunked files: a file as numbered chunks and a meta file. NNCP manual, "Chunked files".
//!
//! ```text
//! F.nncp.meta, F.nncp.chunk0, F.nncp.chunk1, …
//! ```
//!
//! ```
//! use packmule_protocol::chunked::{Meta, chunks};
//! use packmule_protocol::mth;
//!
//! let file = [7; 2500];
//! let checksums: Vec<_> = file.chunks(1024).map(mth::hash).collect();
//! let meta = Meta { file_size: 2500, chunk_size: 1024, checksums };
//! assert_eq!(chunks(2500, 1024), 3);
//! assert_eq!(meta.chunk_len(2), 452);
//! assert_eq!(Meta::from_bytes(&meta.to_bytes())?, meta);
//! # Ok::<(), packmule_protocol::chunked::MetaError>(())
//! ```

use crate::magic::{self, Magic, MagicError};
use crate::mth::Digest;
use crate::xdr::{Xdr, XdrError};

/// Suffix of the name of a meta file.
pub const META_SUFFIX: &str = ".nncp.meta";
/// What precedes the chunk's number at the end of the name of a chunk.
pub const CHUNK_INFIX: &str = ".nncp.chunk";

/// Bytes of a meta file before its checksums.
pub const META_HEAD: usize = 28;

/// The contents of a meta file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Size of the whole file in bytes.
    pub file_size: u64,
    /// Size of every chunk except the last, in bytes.
    pub chunk_size: u64,
    /// MTH of each chunk, in order.
    pub checksums: Vec<Digest>,
}

/// Why the bytes are not a valid meta file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// Another magic, which may be an obsolete one.
    #[error(transparent)]
    Magic(#[from] MagicError),
    /// Shorter than its fixed part, or than its number of checksums requires.
    #[error("description {0}")]
    Field(#[from] XdrError),
    /// The size of chunks is zero.
    #[error("chunk size of zero")]
    ZeroChunk,
    /// The number of checksums does not match the sizes.
    #[error("{count} checksums, but {file_size} bytes in chunks of {chunk_size} are {} chunks",
        chunks(*.file_size, *.chunk_size))]
    Count {
        /// The stated number of chunks.
        count: u64,
        /// The stated size of the file.
        file_size: u64,
        /// The stated size of chunks.
        chunk_size: u64,
    },
}

/// The number of chunks of a file. `chunk_size` must not be zero. An empty file has one empty
/// chunk.
pub fn chunks(file_size: u64, chunk_size: u64) -> u64 {
    file_size.div_ceil(chunk_size).max(1)
}

impl Meta {
    /// Encodes the meta file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(META_HEAD + 32 * self.checksums.len());
        magic::CHUNKED.encode(&mut out);
        self.file_size.encode(&mut out);
        self.chunk_size.encode(&mut out);
        u32::try_from(self.checksums.len()).expect("fewer than 2^32 chunks").encode(&mut out);
        self.checksums.iter().for_each(|checksum| checksum.encode(&mut out));
        out
    }

    /// Decodes a meta file. Like the reference, ignores bytes after it.
    ///
    /// Allocates nothing before the stated numbers match each other and the length of the input.
    ///
    /// # Errors
    /// [`MetaError::Magic`] for another magic, [`MetaError::Field`] if it is truncated,
    /// [`MetaError::ZeroChunk`] and [`MetaError::Count`] if it contradicts itself.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, MetaError> {
        magic::check(&Magic::decode(&mut bytes)?, &magic::CHUNKED)?;
        let file_size = u64::decode(&mut bytes)?;
        let chunk_size = u64::decode(&mut bytes)?;
        let count = u64::from(u32::decode(&mut bytes)?);
        if chunk_size == 0 {
            return Err(MetaError::ZeroChunk);
        }
        if count != chunks(file_size, chunk_size) {
            return Err(MetaError::Count { count, file_size, chunk_size });
        }
        if (bytes.len() as u64) < 32 * count {
            return Err(XdrError::Short.into());
        }
        let checksums = (0..count).map(|_| Xdr::decode(&mut bytes)).collect::<Result<_, _>>()?;
        Ok(Self { file_size, chunk_size, checksums })
    }

    /// Size in bytes of chunk number `index`, which must exist.
    pub fn chunk_len(&self, index: u64) -> u64 {
        self.chunk_size.min(self.file_size - index * self.chunk_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mth;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    /// spec 19.6, made by the reference.
    const WIRE: &str = "4e4e43504d00000200000000000009c40000000000000400000000034f4ffd55\
                        5d99e4cd6fcabfb75b83717f0a15e0b756e20c3d468d4fa79533d0a08627af36\
                        e0047666b5e77b860e21fdd504ff7df6e51ffe811cebb1edce9ed8bad29c3c02\
                        a39bd0f0270210bf0b774052caf841203b3e6720502ce5b2528cd1cb";

    fn sample() -> Meta {
        let bytes: Vec<u8> = (0..2500).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let checksums = bytes.chunks(1024).map(mth::hash).collect();
        Meta { file_size: 2500, chunk_size: 1024, checksums }
    }

    #[test]
    fn the_layout_is_the_references() {
        assert_eq!(HEXLOWER.encode(&sample().to_bytes()), WIRE);
        assert_eq!(Meta::from_bytes(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = sample().to_bytes();
        for len in 0..bytes.len() {
            assert_eq!(Meta::from_bytes(&bytes[..len]), Err(XdrError::Short.into()), "{len}");
        }
    }

    #[test]
    fn numbers_that_contradict_each_other_are_refused() {
        let check = |at: usize, value: &[u8], want: fn(&MetaError) -> bool| {
            let mut bytes = sample().to_bytes();
            bytes[at..at + value.len()].copy_from_slice(value);
            assert!(Meta::from_bytes(&bytes).is_err_and(|error| want(&error)), "{at} {value:?}");
        };
        check(16, &[0; 8], |error| *error == MetaError::ZeroChunk);
        check(24, &[0; 4], |error| matches!(error, MetaError::Count { .. }));
        check(24, &[0xFF; 4], |error| matches!(error, MetaError::Count { .. }));
        check(8, &[0xFF; 8], |error| matches!(error, MetaError::Count { .. }));
        check(7, &[1], |error| matches!(error, MetaError::Magic(MagicError::Obsolete(..))));
        check(0, b"X", |error| *error == MetaError::Magic(MagicError::Unknown));
    }

    #[test]
    fn an_empty_file_is_one_empty_piece() {
        let meta = Meta { file_size: 0, chunk_size: 5, checksums: vec![mth::hash(b"")] };
        assert_eq!(Meta::from_bytes(&meta.to_bytes()), Ok(meta.clone()));
        assert_eq!(meta.chunk_len(0), 0);
    }

    proptest! {
        #[test]
        fn lengths_of_the_pieces_add_up(file_size in 0_u64..100_000, chunk_size in 1_u64..5000) {
            let count = chunks(file_size, chunk_size);
            let meta = Meta { file_size, chunk_size, checksums: vec![[0; 32]; usize::try_from(count).unwrap()] };
            prop_assert_eq!((0..count).map(|i| meta.chunk_len(i)).sum::<u64>(), file_size);
            prop_assert_eq!(Meta::from_bytes(&meta.to_bytes()), Ok(meta));
        }
    }
}
