//! Decrypts a packet: first its full blocks, one by one, then its end, which proves that the packet
//! is complete and that nothing was added.

use super::header::Verified;
use super::keys::{BlockKey, PacketKeys};
use super::size::SIZE_LEN;
use super::{HEADER_LEN, SEALED_BLOCK, TAG};
use crate::id::NodeId;
use crate::keys::ExchangePrivate;
use crate::mth::BLOCK;

/// Why a packet cannot be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is for another node or area.
    #[error("Invalid recipient: packet is for {0}")]
    NotForUs(NodeId),
    /// The ephemeral key is of low order, so everybody knows its secret.
    #[error("ephemeral key of low order")]
    LowOrderKey,
    /// A block was altered, moved or truncated, or is not the sender's.
    #[error("chacha20poly1305: message authentication failed in block {0}")]
    Forged(u64),
    /// The packet ends within its SIZE block, tail block or padding, or before it.
    #[error("packet is cut: unexpected end")]
    Truncated,
    /// The size in the SIZE block is not the packet's.
    #[error("the SIZE block states {0} bytes, which is not the size of the packet")]
    BadSize(u64),
    /// There is more padding than the SIZE block states.
    #[error("unexpected pad")]
    UnexpectedPad,
    /// The inner padding is not zero.
    #[error("non-zero pad byte")]
    NonZeroPad,
    /// The outer padding is not the sender's.
    #[error("wrong pad value")]
    WrongPad,
    /// Bytes follow the end of the packet.
    #[error("excess pad: bytes follow the end of the packet")]
    TrailingBytes,
}

/// Decrypts the blocks of one packet, in any order and on any core, and its [`Ending`].
pub struct Opener {
    keys: PacketKeys,
}

impl Opener {
    /// For a packet that must be addressed to `recipient`, the id of a node or area with the
    /// private key `key`.
    ///
    /// # Errors
    /// [`OpenError::NotForUs`], [`OpenError::LowOrderKey`].
    pub fn new(
        verified: &Verified,
        recipient: &NodeId,
        key: &ExchangePrivate,
    ) -> Result<Self, OpenError> {
        let header = verified.header();
        if header.recipient != *recipient {
            return Err(OpenError::NotForUs(header.recipient));
        }
        let shared = key.agree(&header.ephemeral()).ok_or(OpenError::LowOrderKey)?;
        Ok(Self { keys: PacketKeys::new(&shared, header.associated_data()) })
    }

    /// Decrypts full block number `index` in place. The content is everything except the last
    /// [`TAG`] bytes.
    ///
    /// Returns false and changes nothing if it is not a full block of this packet. It may be the
    /// SIZE block.
    pub fn open_block(&self, index: u64, block: &mut [u8]) -> bool {
        debug_assert_eq!(block.len(), SEALED_BLOCK);
        self.keys.open(BlockKey::Full, index, block)
    }

    /// True if full block number `index` is authentic. Like [`Opener::open_block`], but faster,
    /// because it does not decrypt.
    pub fn is_block(&self, index: u64, block: &[u8]) -> bool {
        debug_assert_eq!(block.len(), SEALED_BLOCK);
        self.keys.is_full_block(index, block)
    }

    /// Reverses [`Opener::open_block`], for a block that was decrypted before it was known to
    /// follow the SIZE block.
    pub fn close_block(&self, index: u64, block: &mut [u8]) {
        self.keys.seal(BlockKey::Full, index, block);
    }

    /// Decrypts the SIZE block in place. It is the first block that is not full or that
    /// [`Opener::open_block`] rejects. `blocks` is the number of full blocks before it.
    ///
    /// Returns the state that takes the bytes after it, and the range of `block` with content.
    ///
    /// # Errors
    /// [`OpenError::Truncated`] if there is no block, [`OpenError::Forged`] if it is not authentic,
    /// [`OpenError::BadSize`] if its sizes are impossible, [`OpenError::UnexpectedPad`] and
    /// [`OpenError::NonZeroPad`] if the padding in it is wrong.
    pub fn open_size(
        &self,
        blocks: u64,
        block: &mut [u8],
    ) -> Result<(Ending<'_>, std::ops::Range<usize>), OpenError> {
        if block.is_empty() {
            return Err(OpenError::Truncated);
        }
        if block.len() > SEALED_BLOCK || !self.keys.open(BlockKey::Size, blocks, block) {
            return Err(OpenError::Forged(blocks));
        }
        let content = &block[..block.len() - TAG];
        let (size, content) = content.split_at_checked(SIZE_LEN).ok_or(OpenError::BadSize(0))?;
        let word = |at: usize| u64::from_be_bytes(size[at..at + 8].try_into().expect("8 bytes"));
        let (plain, padding) = (word(0), word(8));
        let bad_size = OpenError::BadSize(plain);
        let left = blocks
            .checked_mul(BLOCK as u64)
            .and_then(|got| plain.checked_sub(got))
            .filter(|_| i64::try_from(plain).is_ok() && i64::try_from(padding).is_ok())
            .and_then(|left| usize::try_from(left).ok())
            .ok_or(bad_size)?;
        let mut ending =
            Ending { opener: self, plain, tail: None, outer: padding, stream: self.keys.padding() };
        let here = left.min(content.len());
        if left > here {
            // The tail block contains only those bytes that the SIZE structure displaced from a
            // full block.
            if content.len() != BLOCK - SIZE_LEN || left - here > SIZE_LEN - 1 {
                return Err(bad_size);
            }
            ending.tail =
                Some(Tail { index: blocks + 1, content: left - here, sealed: Vec::new() });
        } else {
            ending.take_inner_padding(&content[here..])?;
        }
        Ok((ending, SIZE_LEN..SIZE_LEN + here))
    }
}

/// The tail block, collected until it is complete.
struct Tail {
    index: u64,
    content: usize,
    sealed: Vec<u8>,
}

/// What follows the SIZE block: an optional tail block, then optional outer padding.
pub struct Ending<'a> {
    opener: &'a Opener,
    plain: u64,
    tail: Option<Tail>,
    outer: u64,
    stream: blake3::OutputReader,
}

impl Ending<'_> {
    fn take_inner_padding(&mut self, inner: &[u8]) -> Result<(), OpenError> {
        self.outer = self.outer.checked_sub(inner.len() as u64).ok_or(OpenError::UnexpectedPad)?;
        match inner.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(OpenError::NonZeroPad),
        }
    }

    /// Takes the next bytes of the packet and appends content to `out`, at most 15 bytes in total.
    ///
    /// # Errors
    /// [`OpenError::Forged`] for the tail block, [`OpenError::WrongPad`] for the outer padding,
    /// [`OpenError::TrailingBytes`] for bytes after both, and the errors of padding in the tail
    /// block.
    pub fn update(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        if let Some(tail) = &mut self.tail {
            let (now, rest) = bytes.split_at(bytes.len().min(SEALED_BLOCK - tail.sealed.len()));
            tail.sealed.extend_from_slice(now);
            bytes = rest;
            if tail.sealed.len() == SEALED_BLOCK {
                self.open_tail(out)?;
            }
        }
        let mut want = [0; 4096];
        while !bytes.is_empty() {
            let limit = usize::try_from(self.outer).unwrap_or(usize::MAX).min(want.len());
            if limit == 0 {
                return Err(OpenError::TrailingBytes);
            }
            let (now, rest) = bytes.split_at(bytes.len().min(limit));
            self.stream.fill(&mut want[..now.len()]);
            if want[..now.len()] != *now {
                return Err(OpenError::WrongPad);
            }
            self.outer -= now.len() as u64;
            bytes = rest;
        }
        Ok(())
    }

    fn open_tail(&mut self, out: &mut Vec<u8>) -> Result<(), OpenError> {
        let Some(mut tail) = self.tail.take() else { return Ok(()) };
        if tail.sealed.is_empty() {
            return Err(OpenError::Truncated);
        }
        if !self.opener.keys.open(BlockKey::Full, tail.index, &mut tail.sealed) {
            return Err(OpenError::Forged(tail.index));
        }
        let content = &tail.sealed[..tail.sealed.len() - TAG];
        let (content, inner) =
            content.split_at_checked(tail.content).ok_or(OpenError::BadSize(self.plain))?;
        out.extend_from_slice(content);
        self.take_inner_padding(inner)
    }

    /// To be called at the end of the packet. Proves that the packet is complete.
    ///
    /// # Errors
    /// [`OpenError::Truncated`] if something is missing, and the errors of a tail block that is
    /// completed only now.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), OpenError> {
        self.open_tail(out)?;
        match self.outer {
            0 => Ok(()),
            _ => Err(OpenError::Truncated),
        }
    }
}

/// Decrypts a packet in memory, for small packets and for tests. `packet` is the whole packet,
/// including its header.
///
/// # Errors
/// If any part of it is not authentic.
pub fn open_whole(opener: &Opener, packet: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut rest = packet.get(HEADER_LEN..).ok_or(OpenError::Truncated)?;
    let mut plain = Vec::with_capacity(rest.len());
    for index in 0.. {
        let (now, later) = rest.split_at(rest.len().min(SEALED_BLOCK));
        let mut block = now.to_vec();
        rest = later;
        if block.len() == SEALED_BLOCK && opener.open_block(index, &mut block) {
            plain.extend_from_slice(&block[..BLOCK]);
            continue;
        }
        let (mut ending, content) = opener.open_size(index, &mut block)?;
        plain.extend_from_slice(&block[content]);
        ending.update(rest, &mut plain)?;
        ending.finish(&mut plain)?;
        break;
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SigningPrivate;
    use crate::niceness::Niceness;
    use crate::packet::Sealer;
    use crate::packet::seal::{Recipient, Sender, seal_whole};
    use crate::seed::Seed;
    use proptest::prelude::*;

    fn pair() -> (Sealer, Opener) {
        let (signing, exchange) =
            (SigningPrivate::from_seed(&[1; 32]), ExchangePrivate::from_bytes([2; 32]));
        let id = NodeId([3; 32]);
        let sealer = Sealer::new(
            Sender { id: signing.public().node_id(), key: &signing },
            Recipient { id, key: exchange.public() },
            Niceness::BULK,
            Seed::from_bytes([4; 32]),
        )
        .unwrap();
        let verified = sealer.header().clone().verify(&signing.public()).unwrap();
        let opener = Opener::new(&verified, &id, &exchange).unwrap();
        (sealer, opener)
    }

    const LENGTHS: [usize; 9] = [
        276,
        277,
        BLOCK - 17,
        BLOCK - 16,
        BLOCK - 15,
        BLOCK - 1,
        BLOCK,
        2 * BLOCK - 15,
        2 * BLOCK + 7,
    ];

    #[test]
    fn content_comes_out_at_every_boundary_and_padding() {
        let (sealer, opener) = pair();
        for len in LENGTHS {
            let plain = vec![0x5A; len];
            for padding in [0, 1, 15, 16, 131_000, 131_056, 131_072, 300_000] {
                let packet = seal_whole(&sealer, &plain, padding);
                assert_eq!(open_whole(&opener, &packet).as_ref(), Ok(&plain), "{len} {padding}");
            }
        }
    }

    #[test]
    fn a_packet_cut_between_blocks_is_cut() {
        let (sealer, opener) = pair();
        let packet = seal_whole(&sealer, &vec![7; 3 * BLOCK], 0);
        for blocks in 0..=3 {
            let cut = &packet[..HEADER_LEN + blocks * SEALED_BLOCK];
            assert_eq!(open_whole(&opener, cut), Err(OpenError::Truncated), "{blocks}");
        }
    }

    #[test]
    fn bytes_after_a_full_last_block_are_noticed() {
        let (sealer, opener) = pair();
        let mut packet = seal_whole(&sealer, &vec![7; BLOCK - 16], 0);
        assert_eq!(packet.len(), HEADER_LEN + SEALED_BLOCK);
        packet.push(0);
        assert_eq!(open_whole(&opener, &packet), Err(OpenError::TrailingBytes));
    }

    #[test]
    fn a_full_block_where_padding_belongs_is_wrong_padding() {
        let (sealer, opener) = pair();
        let mut packet = seal_whole(&sealer, &vec![7; BLOCK - 16], 131_088);
        let at = packet.len() - SEALED_BLOCK;
        sealer.seal_block(1, &mut packet[at..]);
        assert_eq!(open_whole(&opener, &packet), Err(OpenError::WrongPad));
    }

    #[test]
    fn a_block_that_is_closed_again_is_as_it_was() {
        let (sealer, opener) = pair();
        let mut block = vec![9; SEALED_BLOCK];
        sealer.seal_block(5, &mut block);
        let sealed = block.clone();
        assert!(!opener.is_block(6, &block) && !opener.open_block(6, &mut block));
        assert_eq!(block, sealed);
        assert!(opener.is_block(5, &block) && opener.open_block(5, &mut block));
        opener.close_block(5, &mut block);
        assert_eq!(block, sealed);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_block_is_authentic_where_it_can_be_opened(
            at: proptest::sample::Index,
            bits in 0_u8..3,
            index in prop_oneof![Just(0), Just(u64::MAX), any::<u64>()],
        ) {
            let (sealer, opener) = pair();
            let mut block = vec![0x5A; SEALED_BLOCK];
            sealer.seal_block(index, &mut block);
            block[at.index(SEALED_BLOCK)] ^= bits;
            let (is_block, next) = (opener.is_block(index, &block), index.wrapping_add(1));
            prop_assert!(!opener.is_block(next, &block));
            prop_assert_eq!(is_block, bits == 0);
            prop_assert_eq!(is_block, opener.open_block(index, &mut block));
        }

        #[test]
        fn one_flipped_bit_or_a_cut_anywhere_is_noticed(
            len in proptest::sample::select(LENGTHS.to_vec()),
            padding in 0_u64..200_000,
            at: proptest::sample::Index,
            bit in 0_u8..8,
        ) {
            let (sealer, opener) = pair();
            let packet = seal_whole(&sealer, &vec![0x5A; len], padding);
            let at = HEADER_LEN + at.index(packet.len() - HEADER_LEN);
            prop_assert!(open_whole(&opener, &packet[..at]).is_err());
            let mut flipped = packet.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(open_whole(&opener, &flipped).is_err());
        }
    }
}
