//! The header of an encrypted packet: sender, recipient and signature. NNCP manual,
//! "Encrypted packet".

use crate::id::{AreaId, AreaMessageId, NodeId, blake2b_256};
use crate::keys::{ExchangePublic, SigningPrivate, SigningPublic};
use crate::magic::{self, Magic, MagicError};
use crate::niceness::Niceness;
use crate::xdr::{Xdr, XdrError};
use crate::xdr_struct;

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 172;
/// Number of bytes that are signed: everything before the signature.
const SIGNED_LEN: usize = 108;

xdr_struct! {
    /// The layout of the header.
    Wire {
        magic: Magic,
        nice: u8,
        sender: NodeId,
        recipient: NodeId,
        ephemeral: [u8; 32],
        signature: [u8; 64],
    }
}

/// Why a header is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Fewer than [`HEADER_LEN`] bytes, or a niceness above 255.
    #[error("header {0}")]
    Field(#[from] XdrError),
    /// Another magic, which may be an obsolete one.
    #[error(transparent)]
    Magic(#[from] MagicError),
    /// The signature is not the sender's.
    #[error("Invalid signature")]
    BadSignature,
    /// The `signpub` that is configured for the sender is not a valid key.
    #[error("Invalid signature: the sender's signpub is no Ed25519 public key")]
    SenderKey,
}

/// A parsed header. Nothing in it is authenticated yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Priority of this layer. A zero, which the reference can be made to write, is parsed as the
    /// most urgent.
    pub nice: Niceness,
    /// The claimed sender of this layer.
    pub sender: NodeId,
    /// The recipient. In an area message, these are the bytes of the area's id.
    pub recipient: NodeId,
    bytes: [u8; HEADER_LEN],
}

/// A header whose signature is valid or does not matter.
#[derive(Debug, Clone)]
pub struct Verified(Header);

impl Header {
    /// Parses the header at the start of a packet.
    ///
    /// # Errors
    /// [`HeaderError::Field`] if it is truncated or has a niceness above 255,
    /// [`HeaderError::Magic`] for another magic.
    pub fn parse(packet: &[u8]) -> Result<Self, HeaderError> {
        let bytes = packet.first_chunk::<HEADER_LEN>().ok_or(XdrError::Short)?;
        magic::check(bytes.first_chunk().expect("longer than a magic"), &magic::ENCRYPTED)?;
        let wire = Wire::from_bytes(bytes)?;
        let nice = Niceness::from_wire(wire.nice.max(1).into()).expect("1 to 255");
        Ok(Self { nice, sender: wire.sender, recipient: wire.recipient, bytes: *bytes })
    }

    /// The signed header of a new packet.
    pub(super) fn sign(
        nice: Niceness,
        sender: NodeId,
        recipient: NodeId,
        ephemeral: &ExchangePublic,
        key: &SigningPrivate,
    ) -> Self {
        let mut wire = Wire {
            magic: magic::ENCRYPTED,
            nice: nice.get(),
            sender,
            recipient,
            ephemeral: ephemeral.0,
            signature: [0; 64],
        };
        wire.signature = key.sign(&wire.to_bytes()[..SIGNED_LEN]);
        let bytes = wire.to_bytes().try_into().expect("the fields add up to HEADER_LEN");
        Self { nice, sender, recipient, bytes }
    }

    /// Verifies the signature (Ed25519, RFC 8032) with the sender's configured key.
    ///
    /// # Errors
    /// [`HeaderError::BadSignature`], [`HeaderError::SenderKey`].
    pub fn verify(self, sender: &SigningPublic) -> Result<Verified, HeaderError> {
        let signature = self.bytes.last_chunk().expect("longer than a signature");
        match sender.verifies(&self.bytes[..SIGNED_LEN], signature) {
            true => Ok(Verified(self)),
            false if sender.is_unusable() => Err(HeaderError::SenderKey),
            false => Err(HeaderError::BadSignature),
        }
    }

    /// Skips the verification: for areas that allow unknown authors, and for displaying a packet
    /// without acting on it.
    pub fn without_check(self) -> Verified {
        Verified(self)
    }

    /// The area of an area message.
    pub fn recipient_area(&self) -> AreaId {
        AreaId(self.recipient.0)
    }

    /// The id of an area message, which stays the same on every hop.
    pub fn message_id(&self) -> AreaMessageId {
        AreaMessageId(blake2b_256(&self.bytes))
    }

    /// The bytes, as in the packet and in `hdr/` files.
    pub fn as_bytes(&self) -> &[u8; HEADER_LEN] {
        &self.bytes
    }

    /// The associated data of every block: the hash of the signed part.
    pub(super) fn associated_data(&self) -> [u8; 32] {
        *blake3::hash(&self.bytes[..SIGNED_LEN]).as_bytes()
    }

    /// The ephemeral public key.
    pub(super) fn ephemeral(&self) -> ExchangePublic {
        ExchangePublic(self.bytes[76..SIGNED_LEN].try_into().expect("32 bytes"))
    }
}

impl Verified {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Header, SigningPublic) {
        let key = SigningPrivate::from_seed(&[0x11; 32]);
        let header = Header::sign(
            Niceness::BULK,
            NodeId([1; 32]),
            NodeId([2; 32]),
            &ExchangePublic([3; 32]),
            &key,
        );
        (header, key.public())
    }

    #[test]
    fn the_layout_is_the_manuals() {
        let (header, _) = sample();
        let bytes = header.as_bytes();
        assert_eq!(bytes[..12], *b"NNCPE\0\0\x06\0\0\0\xe0");
        assert_eq!(bytes[12..44], [1; 32]);
        assert_eq!(bytes[44..76], [2; 32]);
        assert_eq!(bytes[76..108], [3; 32]);
        assert_eq!(Header::parse(bytes), Ok(header));
    }

    #[test]
    fn one_flipped_bit_anywhere_is_noticed() {
        let (header, key) = sample();
        for at in 0..HEADER_LEN {
            let mut bytes = *header.as_bytes();
            bytes[at] ^= 1;
            assert!(
                Header::parse(&bytes).and_then(|header| header.verify(&key)).is_err(),
                "byte {at}"
            );
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let (header, _) = sample();
        for len in 0..HEADER_LEN {
            assert!(Header::parse(&header.as_bytes()[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn niceness_zero_is_read_as_the_most_urgent() {
        let (header, _) = sample();
        let mut bytes = *header.as_bytes();
        bytes[11] = 0;
        assert_eq!(Header::parse(&bytes).map(|header| header.nice.get()), Ok(1));
        bytes[10] = 1;
        assert!(Header::parse(&bytes).is_err());
    }
}
