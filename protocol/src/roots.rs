//! `PKT.roots`: the roots of the pieces of a packet that is transported in pieces.
//!
//! A piece is a slice of `2^level` leaves of the packet's Merkle tree; the last one may be shorter.
//! All roots together hash to the packet's name, which therefore authenticates the file. Layout,
//! big-endian: doc/roots.md.

use crate::id::PacketHash;
use crate::mth::{self, BLOCK, Digest};

/// The first bytes of the file.
pub const MAGIC: [u8; 8] = *b"PMROOTS\x01";
/// Number of bytes before the roots.
pub const HEAD_LEN: usize = 24;
/// Largest level: a piece has at most `2^14` leaves, which is 2 GiB.
pub const LEVEL_MAX: u32 = 14;
/// Limit for the number of pieces of a packet.
pub const PIECES_MAX: u64 = 65_536;
/// Length of the longest file in bytes.
pub const FILE_MAX: usize = HEAD_LEN + 32 * PIECES_MAX as usize;

/// The levels that a sender chooses from: 64 MiB to 2 GiB per piece.
const CHOICE: std::ops::RangeInclusive<u32> = 9..=LEVEL_MAX;
/// The number of pieces that a sender does not exceed if a larger level can avoid it.
const CHOSEN_PIECES: u64 = 4096;

/// How a packet of `size` bytes is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    size: u64,
    level: u32,
}

/// The roots of all pieces of a packet. They are proven to hash to its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// How the packet is split.
    pub cut: Cut,
    /// One root per piece, in order.
    pub roots: Vec<Digest>,
}

/// Why the bytes are not the roots of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// Another magic, or too short for a head.
    #[error("is not a file of roots")]
    Magic,
    /// The level exceeds [`LEVEL_MAX`], or the packet has no bytes, one piece, or too many.
    #[error("a packet of {size} bytes cannot be split into pieces of level {level}")]
    Cut {
        /// Size of the packet in bytes.
        size: u64,
        /// Leaves per piece, as a power of two.
        level: u32,
    },
    /// The count or the file's length contradicts the size.
    #[error("has {found} bytes instead of {expected}")]
    Length {
        /// Length of the file in bytes.
        found: usize,
        /// The length that the size requires.
        expected: usize,
    },
    /// The roots hash to another packet's name.
    #[error("the roots belong to packet {0}")]
    Other(PacketHash),
}

impl Cut {
    /// Splits a packet of `size` bytes into pieces of `2^level` leaves.
    ///
    /// # Errors
    /// If there would be one piece, none, or more than [`PIECES_MAX`].
    pub fn new(size: u64, level: u32) -> Result<Self, RootsError> {
        let cut = Self { size, level };
        let sound = level <= LEVEL_MAX && (2..=PIECES_MAX).contains(&cut.pieces());
        if sound { Ok(cut) } else { Err(RootsError::Cut { size, level }) }
    }

    /// The split that a sender uses: the smallest pieces of at least 64 MiB that number at most
    /// 4096, or else pieces of 2 GiB. `None` for a packet that fits into one piece or has too many.
    pub fn chosen(size: u64) -> Option<Self> {
        let level = CHOICE
            .into_iter()
            .find(|level| Self { size, level: *level }.pieces() <= CHOSEN_PIECES)
            .unwrap_or(LEVEL_MAX);
        Self::new(size, level).ok()
    }

    /// Size of the packet in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Leaves per piece, as a power of two.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Size of every piece except the last, in bytes.
    pub fn piece_len(&self) -> u64 {
        (BLOCK as u64) << self.level
    }

    /// The number of pieces.
    pub fn pieces(&self) -> u64 {
        self.size.div_ceil(self.piece_len())
    }

    /// Offset and length of piece `index`; `None` if there is no such piece.
    pub fn piece(&self, index: u64) -> Option<(u64, u64)> {
        let offset = index.checked_mul(self.piece_len()).filter(|offset| *offset < self.size)?;
        Some((offset, self.piece_len().min(self.size - offset)))
    }

    fn file_len(&self) -> usize {
        HEAD_LEN + 32 * usize::try_from(self.pieces()).unwrap_or(usize::MAX / 64)
    }
}

impl Roots {
    /// Proves that `roots` belong to `packet`.
    ///
    /// # Errors
    /// If their number is wrong, or they hash to another name.
    pub fn proved(cut: Cut, roots: Vec<Digest>, packet: &PacketHash) -> Result<Self, RootsError> {
        let found = HEAD_LEN + 32 * roots.len();
        if found != cut.file_len() {
            return Err(RootsError::Length { found, expected: cut.file_len() });
        }
        let name = PacketHash(fold(&roots));
        if name != *packet {
            return Err(RootsError::Other(name));
        }
        Ok(Self { cut, roots })
    }

    /// Decodes the roots of `packet`.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn from_bytes(bytes: &[u8], packet: &PacketHash) -> Result<Self, RootsError> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>().ok_or(RootsError::Magic)?;
        if head[..8] != MAGIC {
            return Err(RootsError::Magic);
        }
        let size = u64::from_be_bytes(head[8..16].try_into().expect("eight bytes"));
        let level = u32::from_be_bytes(head[16..20].try_into().expect("four bytes"));
        let count = u32::from_be_bytes(head[20..24].try_into().expect("four bytes"));
        let cut = Cut::new(size, level)?;
        let (roots, odd) = rest.as_chunks::<32>();
        if u64::from(count) != cut.pieces() || !odd.is_empty() {
            return Err(RootsError::Length { found: bytes.len(), expected: cut.file_len() });
        }
        Self::proved(cut, roots.to_vec(), packet)
    }

    /// Encodes the roots.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.cut.file_len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.cut.size.to_be_bytes());
        bytes.extend_from_slice(&self.cut.level.to_be_bytes());
        let count = u32::try_from(self.roots.len()).expect("at most PIECES_MAX");
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend_from_slice(self.roots.as_flattened());
        bytes
    }
}

/// The root of a piece from the hashes of its leaves. A single leaf is its own root.
pub fn fold(leaves: &[Digest]) -> Digest {
    let mut row = leaves.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => mth::node(left, right),
                _ => pair[0],
            })
            .collect();
    }
    row.first().copied().unwrap_or_else(|| mth::leaf(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Vec<u8> {
        (0..655_361_u32).map(|i| (i % 251) as u8).collect()
    }

    fn roots_of(data: &[u8], level: u32) -> Vec<Digest> {
        let leaves: Vec<Digest> = data.chunks(BLOCK).map(mth::leaf).collect();
        leaves.chunks(1 << level).map(fold).collect()
    }

    fn hex(bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(bytes)
    }

    #[test]
    fn the_vector_byte_for_byte() {
        let data = data();
        let packet = PacketHash(mth::hash(&data));
        let name = "968b834427c68ed535ea9f086b7166923fd91bcb42a659ab3c5b6ba11eeb0041";
        assert_eq!(hex(&packet.0), name);
        let cut = Cut::new(data.len() as u64, 2).unwrap();
        let roots = Roots::proved(cut, roots_of(&data, 2), &packet).unwrap();
        let expected = "504d524f4f54530100000000000a00010000000200000002\
            6b92cfc2d43f08818c5bee28d0bd747621925985248b58123ac07058ba8288ce\
            bfe04d800c4ea39967425fa816c92b5defbf7faab66d992dae2fd5f4f9a6143a";
        assert_eq!(hex(&roots.to_bytes()), expected);
        assert_eq!(Roots::from_bytes(&roots.to_bytes(), &packet), Ok(roots));
    }

    #[test]
    fn the_fold_of_the_roots_is_the_packets_name() {
        for leaves in [2_usize, 3, 4, 5, 7, 8, 9, 31, 32, 33] {
            for tail in [1, 777, BLOCK] {
                let data = vec![leaves as u8; BLOCK * (leaves - 1) + tail];
                let packet = PacketHash(mth::hash(&data));
                for level in 0..5 {
                    let Ok(cut) = Cut::new(data.len() as u64, level) else { continue };
                    let proved = Roots::proved(cut, roots_of(&data, level), &packet);
                    assert!(proved.is_ok(), "{leaves} leaves, {tail}, level {level}: {proved:?}");
                }
            }
        }
    }

    #[test]
    fn anything_altered_or_cut_is_refused() {
        let data = data();
        let packet = PacketHash(mth::hash(&data));
        let cut = Cut::new(data.len() as u64, 0).unwrap();
        let bytes = Roots::proved(cut, roots_of(&data, 0), &packet).unwrap().to_bytes();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let read = Roots::from_bytes(&altered, &packet);
            // The packet's name does not depend on its size within the last leaf.
            if (8..16).contains(&at) {
                assert!(read.as_ref().is_err() || read.unwrap().cut.pieces() == cut.pieces());
            } else {
                assert!(read.is_err(), "byte {at}");
            }
            assert!(Roots::from_bytes(&bytes[..at], &packet).is_err(), "{at} bytes");
        }
        assert!(Roots::from_bytes(&[bytes, vec![0]].concat(), &packet).is_err());
    }

    #[test]
    fn a_sender_chooses_few_pieces_of_at_least_64_mib() {
        let mib = 1 << 20;
        assert_eq!(Cut::chosen(64 * mib), None);
        assert_eq!(Cut::chosen(64 * mib + 1).map(|cut| (cut.level(), cut.pieces())), Some((9, 2)));
        assert_eq!(Cut::chosen(4096 * 64 * mib).map(|cut| cut.level()), Some(9));
        assert_eq!(Cut::chosen(4096 * 64 * mib + 1).map(|cut| cut.level()), Some(10));
        assert_eq!(Cut::chosen(u64::MAX), None);
    }

    #[test]
    fn the_last_piece_is_what_is_left() {
        let cut = Cut::new(3 * BLOCK as u64 + 5, 1).unwrap();
        assert_eq!(cut.piece(0), Some((0, 2 * BLOCK as u64)));
        assert_eq!(cut.piece(1), Some((2 * BLOCK as u64, BLOCK as u64 + 5)));
        assert_eq!(cut.piece(2), None);
        assert_eq!(cut.piece(u64::MAX), None);
    }
}
