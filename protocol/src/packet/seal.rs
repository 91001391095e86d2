//! Encrypts a packet: header, blocks, the end with its SIZE block, padding.

use super::header::Header;
use super::keys::{BlockKey, PacketKeys};
use super::size::SIZE_LEN;
use super::{HEADER_LEN, SEALED_BLOCK, TAG};
use crate::id::NodeId;
use crate::keys::{ExchangePrivate, ExchangePublic, SigningPrivate};
use crate::mth::BLOCK;
use crate::niceness::Niceness;
use crate::seed::Seed;

/// Encrypts the blocks of one packet. It has no state, so blocks can be encrypted in any order, on
/// any core.
pub struct Sealer {
    header: Header,
    keys: PacketKeys,
}

/// The recipient of a packet: a node, or an area with the bytes of its id.
#[derive(Debug, Clone, Copy)]
pub struct Recipient {
    /// The id in the header.
    pub id: NodeId,
    /// The key to which the packet is encrypted.
    pub key: ExchangePublic,
}

/// The sender of a packet.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The id in the header.
    pub id: NodeId,
    /// The key that signs the header.
    pub key: &'a SigningPrivate,
}

/// The recipient's key is of low order, so everybody could decrypt the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("exchange key of {0} is of low order and protects nothing")]
pub struct WeakKey(pub NodeId);

impl Sealer {
    /// A packet from `sender` to `recipient`. `ephemeral` becomes the private half of its ephemeral
    /// key.
    ///
    /// # Errors
    /// [`WeakKey`] if the recipient's key is of low order.
    pub fn new(
        sender: Sender<'_>,
        recipient: Recipient,
        nice: Niceness,
        ephemeral: Seed,
    ) -> Result<Self, WeakKey> {
        let ephemeral = ExchangePrivate::generate(ephemeral);
        let shared = ephemeral.agree(&recipient.key).ok_or(WeakKey(recipient.id))?;
        let header = Header::sign(nice, sender.id, recipient.id, &ephemeral.public(), sender.key);
        let keys = PacketKeys::new(&shared, header.associated_data());
        Ok(Self { header, keys })
    }

    /// The header, which comes first in the packet.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Encrypts full block number `index` in place: [`BLOCK`] bytes, and space for the tag.
    pub fn seal_block(&self, index: u64, block: &mut [u8]) {
        debug_assert_eq!(block.len(), SEALED_BLOCK);
        self.keys.seal(BlockKey::Full, index, block);
    }

    /// Appends what follows the full blocks: the SIZE block with the remaining content, a tail
    /// block if the content does not fit, and the inner padding.
    ///
    /// `blocks` is the number of full blocks, `rest` the content after them (less than [`BLOCK`]),
    /// `padding` the length of inner and outer padding together. Returns the outer padding, which
    /// the caller has to append.
    pub fn seal_end(
        &self,
        blocks: u64,
        rest: &[u8],
        padding: u64,
        out: &mut Vec<u8>,
    ) -> OuterPadding {
        debug_assert!(rest.len() < BLOCK);
        let plain = blocks * BLOCK as u64 + rest.len() as u64;
        let mut index = blocks;
        let mut key = BlockKey::Size;
        let mut start = out.len();
        out.extend_from_slice(&plain.to_be_bytes());
        out.extend_from_slice(&padding.to_be_bytes());
        let (head, tail) = rest.split_at(rest.len().min(BLOCK - SIZE_LEN));
        out.extend_from_slice(head);
        if !tail.is_empty() {
            out.resize(out.len() + TAG, 0);
            self.keys.seal(key, index, &mut out[start..]);
            (index, key, start) = (index + 1, BlockKey::Full, out.len());
            out.extend_from_slice(tail);
        }
        let room = BLOCK - (out.len() - start);
        let inner = usize::try_from(padding).map_or(room, |padding| padding.min(room));
        out.resize(out.len() + inner + TAG, 0);
        self.keys.seal(key, index, &mut out[start..]);
        OuterPadding { left: padding - inner as u64, stream: self.keys.padding() }
    }
}

/// Outer padding: bytes that only the recipient can distinguish from an encrypted block.
pub struct OuterPadding {
    left: u64,
    stream: blake3::OutputReader,
}

impl OuterPadding {
    /// Number of bytes still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Appends the next bytes, at most `limit`.
    pub fn take(&mut self, limit: usize, out: &mut Vec<u8>) {
        let len = usize::try_from(self.left).map_or(limit, |left| left.min(limit));
        let start = out.len();
        out.resize(start + len, 0);
        self.stream.fill(&mut out[start..]);
        self.left -= len as u64;
    }
}

/// Encrypts a packet in memory, for small packets and for tests.
pub fn seal_whole(sealer: &Sealer, plain: &[u8], padding: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + plain.len() + 2 * TAG + SIZE_LEN);
    out.extend_from_slice(sealer.header().as_bytes());
    let mut blocks = plain.chunks_exact(BLOCK);
    let mut count = 0;
    for block in &mut blocks {
        let start = out.len();
        out.extend_from_slice(block);
        out.resize(out.len() + TAG, 0);
        sealer.seal_block(count, &mut out[start..]);
        count += 1;
    }
    let mut outer = sealer.seal_end(count, blocks.remainder(), padding, &mut out);
    while outer.left() > 0 {
        outer.take(BLOCK, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PacketHash;
    use crate::keys::SigningPrivate;
    use crate::mth;
    use crate::packet::kind::Kind;
    use crate::packet::plain::PlainHeader;
    use crate::packet::size;

    /// spec 19.4: from alice to bob, path `f`, niceness 224, ephemeral key 32 times 0x41.
    fn check(payload: usize, minimum: u64, name: &str) {
        let alice = SigningPrivate::from_seed(&[0x11; 32]);
        let bob = SigningPrivate::from_seed(&[0x21; 32]).public().node_id();
        let sender = Sender { id: alice.public().node_id(), key: &alice };
        let key = ExchangePrivate::from_bytes([0x22; 32]).public();
        let ephemeral = Seed::from_bytes([0x41; 32]);
        let sealer =
            Sealer::new(sender, Recipient { id: bob, key }, Niceness::BULK, ephemeral).unwrap();
        let header = PlainHeader::new(Kind::File, Some(Niceness::BULK), *b"f").unwrap();
        let mut plain = header.to_bytes().to_vec();
        plain.extend((0..payload).map(|i| u8::try_from(i % 251).unwrap()));
        let padding = size::padding(plain.len() as u64, minimum, 1);
        let packet = seal_whole(&sealer, &plain, padding);
        assert_eq!(packet.len() as u64, size::packet_len(plain.len() as u64, padding));
        assert_eq!(PacketHash(mth::hash(&packet)).to_string(), name, "{payload} {minimum}");
    }

    #[test]
    fn packets_at_every_boundary_are_the_references() {
        check(0, 0, "3Q2XT2BEN42NZHZQCAGT2EJ5GYJWVPSV43GJMVWMTPW2GPC2H6VA");
        check(1, 0, "XD2DEONG5RAC4ZUAUQYDK6EW6GQ4RAIBLJNBVMBYGX72P6PKWAFA");
        check(130_780, 0, "QK24LRUO6ZLKTFCVM4KAXSNNCRZQFBCYOSNG2EZYVR7YCNQVUC4Q");
        check(130_781, 0, "R6RT6KUZDCKNHVAZJVWXSJB5JUJJYASCW6YCA7N5JWZX3BT5JAOA");
        check(130_795, 0, "LECFJ3G3XJD7RO7ZDWZDAZDDRYIDTECBAATEAT5AU7AWYKJMKE3A");
        check(130_796, 0, "4H4U5DGT2HNWCQOYKAEDCXRHHJMLN7PXE66VDJYUX66QEH5TNOPQ");
        check(130_797, 0, "YZPE3JGRVS7RSOSMVCXT4X25T3G36QWOBV7KNSW4IOUQGVRC7DGA");
        check(131_072, 0, "A2MXH7HEQG624D6YY4OWKPXELYQY4HF6RXG5535D6QPS4YET7VXQ");
        check(261_852, 0, "22S42OQMERQQ7MTXY6QORON4DNIWO3K4WOY4YA4R5DZ3VNR6ROWA");
        check(261_853, 0, "QZSMPNF6UHUWVDAVIZ7OJAB67RV4OCBCAN46LKZ2OREMNMSQCU2A");
    }

    #[test]
    fn padding_inside_at_and_beyond_the_last_block_is_the_references() {
        check(1, 1024, "EKLHDZET2PDFMNFVAIEPUHVWGMKZWWBW4CPLEK5G3JNWGEV76DRQ");
        check(1, 131_072, "4THXYCVZB2765QJ2U7XS4PDFIWX2HX6QXOTR6PQ7RROXSYECQLHA");
        check(1, 131_732, "3JY3GXQZUHNPGDORORRS5JPCMW5PQRKRF3JM3NWND7T44TOOBAXQ");
        check(130_780, 263_168, "A6FDNJYZE5ZW7G2YCQBAB36LGJKRGH6KE7O5RXRIHTD3EOXWFV4Q");
        check(130_781, 263_168, "FZVUA3JWNKGILNAFGKTYHCSUVGNJOBYGT33CLJVCCOMESHZRZUTA");
        check(130_796, 263_168, "FYXIHTTEPGPQCG6QSMZP32BMRMYBP4AAPRHKDRGE36MQM4DR3DHQ");
        check(262_144, 400_000, "PEDS7YDSYAZ6ZKEQU243XFPXSDZYUH56BCWJ7OBFBERRGURNZK6Q");
    }
}
