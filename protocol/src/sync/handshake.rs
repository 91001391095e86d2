//! The Noise handshake (`Noise_IK_25519_ChaChaPoly_BLAKE2b`) and the ciphers that result from it.
//! Noise Protocol Framework, revision 34; NNCP manual, "Synchronization protocol".
//!
//! `snow` does the handshake. The transport is implemented here: it is only a counter and an AEAD.
//! So it encrypts in place in the frame's buffer, with the same fast cipher as packets.

use crate::keys::{NoisePrivate, NoisePublic};
use crate::seed::Seed;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, Tag};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher as NoiseCipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_BLAKE2b";

/// Length of the authentication tag on every transport message, in bytes.
pub const TAG_LEN: usize = 16;
/// Length of the first message without its payload: ephemeral key, encrypted static key, tag.
const FIRST_OVERHEAD: usize = 32 + 48 + TAG_LEN;
/// Length of the second message without its payload.
const SECOND_OVERHEAD: usize = 32 + TAG_LEN;
const KEY_LEN: usize = 32;

/// Why a handshake or transport message is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// It is too short, altered, or for or from another key.
    #[error("message is altered or not meant for our key")]
    Forged,
    /// The ephemeral key is of low order, so everybody knows the secret.
    #[error("ephemeral key is a point of low order")]
    LowOrder,
    /// All 2^64 nonces are used.
    #[error("out of nonces")]
    Exhausted,
}

/// The calling side, after the first handshake message.
pub struct Initiator(HandshakeState);

/// The called side, after the first handshake message.
pub struct Responder(HandshakeState);

impl Initiator {
    /// Makes the first message with `payload` in it. `ephemeral` becomes this side's ephemeral key.
    pub fn start(
        ours: &NoisePrivate,
        theirs: &NoisePublic,
        ephemeral: Seed,
        payload: &[u8],
    ) -> (Self, Vec<u8>) {
        let mut state = builder(ours, ephemeral)
            .remote_public_key(&theirs.0)
            .and_then(Builder::build_initiator)
            .expect("the pattern needs both keys and has them");
        let message = write(&mut state, payload, FIRST_OVERHEAD);
        (Self(state), message)
    }

    /// Reads the second message. Returns its payload and the ciphers.
    ///
    /// # Errors
    /// [`NoiseError::Forged`] if the message is not the called key's answer,
    /// [`NoiseError::LowOrder`].
    pub fn finish(mut self, message: &[u8]) -> Result<(Vec<u8>, Transport), NoiseError> {
        let payload = read(&mut self.0, message)?;
        let (ours, theirs) = split(&mut self.0);
        Ok((payload, Transport { seal: Cipher::new(&ours), open: Cipher::new(&theirs) }))
    }
}

impl Responder {
    /// Reads the first message. Returns the caller's key and the payload. `ephemeral` becomes this
    /// side's ephemeral key.
    ///
    /// # Errors
    /// [`NoiseError::Forged`] if the message was not made for this key, [`NoiseError::LowOrder`].
    pub fn start(
        ours: &NoisePrivate,
        ephemeral: Seed,
        message: &[u8],
    ) -> Result<(Self, NoisePublic, Vec<u8>), NoiseError> {
        let mut state = builder(ours, ephemeral)
            .build_responder()
            .expect("the pattern needs a private key and has it");
        let payload = read(&mut state, message)?;
        let peer = state.get_remote_static().expect("the first message brings it");
        let peer = NoisePublic(peer.try_into().expect("X25519 keys have 32 bytes"));
        Ok((Self(state), peer, payload))
    }

    /// Makes the second message with `payload` in it. Returns it and the ciphers.
    pub fn finish(mut self, payload: &[u8]) -> (Vec<u8>, Transport) {
        let message = write(&mut self.0, payload, SECOND_OVERHEAD);
        let (theirs, ours) = split(&mut self.0);
        (message, Transport { seal: Cipher::new(&ours), open: Cipher::new(&theirs) })
    }
}

fn builder(ours: &NoisePrivate, ephemeral: Seed) -> Builder<'_> {
    let pattern = PATTERN.parse().expect("a pattern snow knows");
    Builder::with_resolver(pattern, Box::new(Seeded(ephemeral.into_bytes())))
        .local_private_key(ours.as_bytes())
        .expect("set once")
}

fn write(state: &mut HandshakeState, payload: &[u8], overhead: usize) -> Vec<u8> {
    let mut message = vec![0; payload.len() + overhead];
    let len = state.write_message(payload, &mut message).expect("room, and our turn");
    message.truncate(len);
    message
}

fn read(state: &mut HandshakeState, message: &[u8]) -> Result<Vec<u8>, NoiseError> {
    let ephemeral: [u8; KEY_LEN] = *message.first_chunk().ok_or(NoiseError::Forged)?;
    // Every clamped scalar is a multiple of the cofactor, so any of them detects a point of low
    // order. The reference rejects these; snow does not check.
    let probe = StaticSecret::from([1; KEY_LEN]).diffie_hellman(&PublicKey::from(ephemeral));
    if !probe.was_contributory() {
        return Err(NoiseError::LowOrder);
    }
    let mut payload = vec![0; message.len()];
    let len = state.read_message(message, &mut payload).map_err(|_| NoiseError::Forged)?;
    payload.truncate(len);
    Ok(payload)
}

/// The ciphers of snow, with a seed instead of a random number generator.
struct Seeded(Zeroizing<[u8; KEY_LEN]>);

impl CryptoResolver for Seeded {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Once(Some(self.0.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn NoiseCipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// Gives out the seed once, for the one ephemeral key of a side.
struct Once(Option<Zeroizing<[u8; KEY_LEN]>>);

impl Random for Once {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        // Never returns the same bytes twice, and never a key that is only partly filled.
        let seed = self.0.take().filter(|seed| seed.len() == dest.len()).ok_or(snow::Error::Rng)?;
        dest.copy_from_slice(&*seed);
        Ok(())
    }
}

/// The key of the initiator, then that of the responder.
fn split(state: &mut HandshakeState) -> (Zeroizing<[u8; KEY_LEN]>, Zeroizing<[u8; KEY_LEN]>) {
    let (initiator, responder) = state.dangerously_get_raw_split();
    (Zeroizing::new(initiator), Zeroizing::new(responder))
}

/// Both directions of an established session.
pub struct Transport {
    seal: Cipher,
    open: Cipher,
}

impl Transport {
    /// Both ends of a session, for tests without a handshake.
    #[cfg(fuzzing)]
    pub fn pair() -> (Self, Self) {
        let (one, other) = ([1; KEY_LEN], [2; KEY_LEN]);
        let end = |seal, open| Self { seal: Cipher::new(seal), open: Cipher::new(open) };
        (end(&one, &other), end(&other, &one))
    }

    /// Encrypts everything in `buffer` from `start` on, and appends the tag.
    ///
    /// # Errors
    /// [`NoiseError::Exhausted`] after 2^64 messages.
    pub fn seal(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<(), NoiseError> {
        let nonce = self.seal.next_nonce()?;
        let tag = self
            .seal
            .aead
            .encrypt_inout_detached(&nonce, b"", (&mut buffer[start..]).into())
            .expect("messages are far below the cipher's limit");
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Decrypts `message` in place and returns the payload.
    ///
    /// # Errors
    /// [`NoiseError::Forged`] if it is not the peer's next message, [`NoiseError::Exhausted`].
    pub fn open<'a>(&mut self, message: &'a mut [u8]) -> Result<&'a [u8], NoiseError> {
        let nonce = self.open.next_nonce()?;
        let (payload, tag) = message.split_last_chunk_mut::<TAG_LEN>().ok_or(NoiseError::Forged)?;
        self.open
            .aead
            .decrypt_inout_detached(&nonce, b"", (&mut *payload).into(), &Tag::from(*tag))
            .map_err(|_| NoiseError::Forged)?;
        Ok(payload)
    }
}

/// One direction. Its counter is little-endian, although the rest of the protocol is big-endian.
struct Cipher {
    aead: ChaCha20Poly1305,
    counter: u64,
}

impl Cipher {
    fn new(key: &[u8; KEY_LEN]) -> Self {
        Self { aead: ChaCha20Poly1305::new(&(*key).into()), counter: 0 }
    }

    fn next_nonce(&mut self) -> Result<Nonce, NoiseError> {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.counter.to_le_bytes());
        self.counter = self.counter.checked_add(1).ok_or(NoiseError::Exhausted)?;
        Ok(nonce.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PacketHash;
    use crate::sync::message::{Done, Freq, Info, Message};

    fn unhex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect()
    }

    fn encoded(messages: &[Message<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        for message in messages {
            message.encode(&mut out);
        }
        out
    }

    fn keys() -> (NoisePrivate, NoisePrivate) {
        (NoisePrivate::from_bytes([0x11; 32]), NoisePrivate::from_bytes([0x22; 32]))
    }

    fn seed(byte: u8) -> Seed {
        Seed::from_bytes([byte; 32])
    }

    const FIRST: &str = "
        7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14
        f31e61f1ad41ce5ef4e146599ce06ec36a41e3a8a8d892d9990d48ef86772244
        726d5918d62cb1423edeaf36c6c6dcf6e7989bfddf43e528a4bedaa90488148a
        823ad17dcdea06b01056a44f7991bb21626ab6c3ab8973a76af1294b8ec90912
        4ac177779ad12ca9f34f45de5bc94fdc1daf8677";
    const SECOND: &str = "
        ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b
        239c26bf58be97621c3dbdf4168cf0ed3cc925ccd49692a7";

    /// spec 19: fixed keys, and the bytes that the reference makes with them.
    #[test]
    fn the_references_handshake_and_first_messages() {
        let (alice, bob) = keys();
        let hash = PacketHash(std::array::from_fn(|index| index as u8));
        let first =
            encoded(&[Message::Info(Info { nice: 224, size: 300_512, hash }), Message::Halt]);

        let (initiator, message) = Initiator::start(&alice, &bob.public(), seed(0x33), &first);
        assert_eq!(message, unhex(FIRST));
        let (responder, peer, payload) = Responder::start(&bob, seed(0x44), &message).unwrap();
        assert_eq!((peer, payload), (alice.public(), first));

        let second = encoded(&[Message::Halt, Message::Halt]);
        let (message, mut bobs) = responder.finish(&second);
        assert_eq!(message, unhex(SECOND));
        let (payload, mut alices) = initiator.finish(&message).unwrap();
        assert_eq!(payload, second);

        let seal = |transport: &mut Transport, message| {
            let mut out = encoded(&[message]);
            transport.seal(&mut out, 0).unwrap();
            out
        };
        let ping = unhex("9acc7b0056102fcede90d566d33b770ff38374ab");
        assert_eq!(seal(&mut alices, Message::Ping), ping);
        let freq = unhex(
            "778e1e9b92dacb4c6a94e05038f3b99aebc83c53b6ec495d9d74301b18687b4c
             5c837687ee801d185c61d2de597895c4de0b3b1d42b30d1d9389d36e",
        );
        assert_eq!(seal(&mut alices, Message::Freq(Freq { hash, offset: 65232 })), freq);
        let mut done = unhex(
            "cb3ad30a3bc5660d0fbcf9ab1111599a2772255d8d48b15c27fbb0eb895aec75
             d018c0d88fd2e35653aa84db15b22ad49acdc99a",
        );
        assert_eq!(seal(&mut bobs, Message::Done(Done { hash })), done);
        assert_eq!(alices.open(&mut done).unwrap(), encoded(&[Message::Done(Done { hash })]));
    }

    #[test]
    fn an_altered_or_short_message_is_refused() {
        let (alice, bob) = keys();
        let (_, message) = Initiator::start(&alice, &bob.public(), seed(3), b"payload");
        for at in 0..message.len() {
            let mut altered = message.clone();
            altered[at] ^= 0x40;
            assert!(Responder::start(&bob, seed(4), &altered).is_err(), "byte {at}");
            assert!(Responder::start(&bob, seed(4), &message[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn a_call_to_another_key_is_refused() {
        let (alice, bob) = keys();
        let (_, message) = Initiator::start(&alice, &alice.public(), seed(3), b"");
        assert_eq!(Responder::start(&bob, seed(4), &message).err(), Some(NoiseError::Forged));
    }

    #[test]
    fn points_of_low_order_are_refused() {
        let (_, bob) = keys();
        for first in [0, 1] {
            let mut message = vec![0; 200];
            message[0] = first;
            assert_eq!(Responder::start(&bob, seed(4), &message).err(), Some(NoiseError::LowOrder));
        }
    }

    #[test]
    fn a_transport_message_counts_once_and_in_order() {
        let (alice, bob) = keys();
        let (initiator, message) = Initiator::start(&alice, &bob.public(), seed(3), b"");
        let (responder, _, _) = Responder::start(&bob, seed(4), &message).unwrap();
        let (message, mut bobs) = responder.finish(b"");
        let (_, mut alices) = initiator.finish(&message).unwrap();
        let mut sealed = b"ping".to_vec();
        alices.seal(&mut sealed, 0).unwrap();
        assert_eq!(bobs.open(&mut sealed.clone()), Ok(&b"ping"[..]));
        assert_eq!(bobs.open(&mut sealed), Err(NoiseError::Forged), "a replay");
        assert_eq!(bobs.open(&mut [0; 15]), Err(NoiseError::Forged), "shorter than a tag");
    }
}
