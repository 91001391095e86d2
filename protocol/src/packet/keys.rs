//! The three keys of a packet, and the encryption of its blocks.

use super::TAG;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Tag};
use poly1305::Poly1305;
use poly1305::universal_hash::UniversalHash;
use zeroize::Zeroizing;

/// The keys derived from the secret that the ephemeral key and the recipient's key share.
pub(super) struct PacketKeys {
    full: ChaCha20Poly1305,
    /// The key of the cipher `full`.
    full_key: Zeroizing<[u8; 32]>,
    size: ChaCha20Poly1305,
    padding: Zeroizing<[u8; 32]>,
    associated_data: [u8; 32],
}

/// Names one of the two block keys.
#[derive(Clone, Copy)]
pub(super) enum BlockKey {
    Full,
    Size,
}

impl PacketKeys {
    pub(super) fn new(shared: &[u8; 32], associated_data: [u8; 32]) -> Self {
        let derive = |context| Zeroizing::new(blake3::derive_key(context, shared));
        let cipher = |key: &Zeroizing<[u8; 32]>| ChaCha20Poly1305::new((&**key).into());
        let full_key = derive("NNCPE\0\0\x06 FULL");
        Self {
            full: cipher(&full_key),
            full_key,
            size: cipher(&derive("NNCPE\0\0\x06 SIZE")),
            padding: derive("NNCPE\0\0\x06 PAD"),
            associated_data,
        }
    }

    fn cipher(&self, key: BlockKey) -> &ChaCha20Poly1305 {
        match key {
            BlockKey::Full => &self.full,
            BlockKey::Size => &self.size,
        }
    }

    /// Encrypts a block in place. Its last [`TAG`] bytes must be free for the tag.
    pub(super) fn seal(&self, key: BlockKey, index: u64, block: &mut [u8]) {
        let (content, tag) = block.split_last_chunk_mut::<TAG>().expect("room for the tag");
        let made = self
            .cipher(key)
            .encrypt_inout_detached(&nonce(index).into(), &self.associated_data, content.into())
            .expect("a block is far below the cipher's limit");
        tag.copy_from_slice(&made);
    }

    /// Decrypts a block in place. Returns false and changes nothing if it is not authentic.
    pub(super) fn open(&self, key: BlockKey, index: u64, block: &mut [u8]) -> bool {
        let Some((content, tag)) = block.split_last_chunk_mut::<TAG>() else { return false };
        self.cipher(key)
            .decrypt_inout_detached(
                &nonce(index).into(),
                &self.associated_data,
                content.into(),
                &Tag::from(*tag),
            )
            .is_ok()
    }

    /// True if [`open`](Self::open) would accept it as a full block. Does not decrypt, which saves
    /// most of the work (RFC 8439, section 2.8).
    pub(super) fn is_full_block(&self, index: u64, block: &[u8]) -> bool {
        let Some((content, tag)) = block.split_last_chunk::<TAG>() else { return false };
        let mut key = Zeroizing::new([0; 32]);
        ChaCha20::new((&*self.full_key).into(), &nonce(index).into()).apply_keystream(&mut *key);
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&(self.associated_data.len() as u64).to_le_bytes());
        lengths[8..].copy_from_slice(&(content.len() as u64).to_le_bytes());
        let mut code = Poly1305::new((&*key).into());
        code.update_padded(&self.associated_data);
        code.update_padded(content);
        code.update_padded(&lengths);
        code.verify(&Tag::from(*tag)).is_ok()
    }

    /// The stream that provides the outer padding.
    pub(super) fn padding(&self) -> blake3::OutputReader {
        blake3::Hasher::new_keyed(&self.padding).finalize_xof()
    }
}

/// The block's number, big-endian, in all twelve bytes.
fn nonce(index: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&index.to_be_bytes());
    nonce
}
