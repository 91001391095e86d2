//! The keys of nodes and areas, each kind a type of its own. NNCP manual, "Configuration file".
//!
//! X25519 (RFC 7748) for packets and calls, Ed25519 (RFC 8032) for signatures. The text form is
//! base32 without padding, as in the configuration. Private keys are wiped when they are dropped,
//! and `Debug` shows only their public half.
//!
//! ```
//! use packmule_protocol::keys::{PrivateKeys, SigningPublic};
//! use packmule_protocol::seed::Seed;
//!
//! let seed = || Seed::from_source(getrandom::fill);
//! let keys = PrivateKeys::generate([seed()?, seed()?, seed()?]);
//! let public: SigningPublic = keys.signing.public().to_string().parse()?;
//! assert_eq!(public.node_id(), keys.node_id());
//! assert!(public.verifies(b"message", &keys.signing.sign(b"message")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::base32::{self, Base32Error};
use crate::id::{AreaId, NodeId};
use crate::seed::Seed;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::fmt;
use std::str::FromStr;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseKeyError {
    /// Not base32.
    #[error(transparent)]
    Base32(#[from] Base32Error),
    /// Base32 of another length.
    #[error("invalid size: {0} bytes instead of {1}")]
    Size(usize, usize),
    /// The second half of a signing key is not the public key of the first half.
    #[error("private and public half do not belong together")]
    Mismatch,
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], ParseKeyError> {
    let bytes = Zeroizing::new(base32::decode(text)?);
    bytes.as_slice().try_into().map_err(|_| ParseKeyError::Size(bytes.len(), N))
}

macro_rules! public_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
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
            type Err = ParseKeyError;
            fn from_str(text: &str) -> Result<Self, ParseKeyError> {
                decode(text).map(Self)
            }
        }
    };
}

public_key! {
    /// `exchpub`: the X25519 key to which packets are encrypted. Also an area's `pub`.
    ExchangePublic
}

public_key! {
    /// `noisepub`: the X25519 key of the online protocol.
    NoisePublic
}

public_key! {
    /// `signpub`: verifies a node's packets (Ed25519). Like the reference, any 32 bytes are
    /// accepted: an invalid key of one neighbour must not stop the node from working with the
    /// others.
    SigningPublic
}

impl SigningPublic {
    /// The id of the node that this key belongs to.
    pub fn node_id(&self) -> NodeId {
        NodeId::of_signing_key(&self.0)
    }

    /// True if no signature can be valid for this key: it is not a point of the curve, or one of
    /// low order.
    pub fn is_unusable(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).map_or(true, |key| key.is_weak())
    }

    /// True if `signature` is this key's signature of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &signature.into()).is_ok())
    }
}

/// True if everybody knows the secrets that are agreed with this X25519 key.
fn is_of_low_order(key: [u8; 32]) -> bool {
    // Any private key will do for the test, because clamping makes it a multiple of the cofactor.
    !StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(key)).was_contributory()
}

macro_rules! x25519_private {
    ($(#[$doc:meta])* $name:ident => $public:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// A new key made from `seed`.
            pub fn generate(seed: Seed) -> Self {
                Self(*seed.into_bytes())
            }

            /// The key with these bytes. They are kept unclamped, as the reference stores them.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The public half.
            pub fn public(&self) -> $public {
                $public(PublicKey::from(&StaticSecret::from(self.0)).to_bytes())
            }

            /// Base32, as in the configuration.
            pub fn to_base32(&self) -> Zeroizing<String> {
                Zeroizing::new(base32::encode(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = ParseKeyError;
            fn from_str(text: &str) -> Result<Self, ParseKeyError> {
                decode(text).map(Self)
            }
        }

        /// Shows only the public half.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(of {})"), self.public())
            }
        }
    };
}

x25519_private! {
    /// `exchprv`: decrypts the packets that are encrypted to its public half. Also an area's `prv`.
    ExchangePrivate => ExchangePublic
}

x25519_private! {
    /// `noiseprv`: the key of the online protocol.
    NoisePrivate => NoisePublic
}

impl ExchangePrivate {
    /// The Diffie-Hellman secret shared with `public`; `None` for a point of low order, whose
    /// secret everybody knows.
    pub fn agree(&self, public: &ExchangePublic) -> Option<Zeroizing<[u8; 32]>> {
        let shared = StaticSecret::from(self.0).diffie_hellman(&PublicKey::from(public.0));
        shared.was_contributory().then(|| Zeroizing::new(shared.to_bytes()))
    }
}

/// `signprv`: signs a node's packets (Ed25519). The text form is the seed and the public key.
#[derive(Clone)]
pub struct SigningPrivate(SigningKey);

impl SigningPrivate {
    /// A new key made from `seed`.
    pub fn generate(seed: Seed) -> Self {
        Self::from_seed(&seed.into_bytes())
    }

    /// The key with this seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn public(&self) -> SigningPublic {
        SigningPublic(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` (plain Ed25519, RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Base32 of seed and public key, as in the configuration.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(base32::encode(&*Zeroizing::new(self.0.to_keypair_bytes())))
    }
}

impl FromStr for SigningPrivate {
    type Err = ParseKeyError;
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let pair = Zeroizing::new(decode::<64>(text)?);
        SigningKey::from_keypair_bytes(&pair).map(Self).map_err(|_| ParseKeyError::Mismatch)
    }
}

/// Shows only the public half.
impl fmt::Debug for SigningPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningPrivate(of {})", self.public())
    }
}

/// The three private keys of a node.
#[derive(Debug, Clone)]
pub struct PrivateKeys {
    /// `exchprv`.
    pub exchange: ExchangePrivate,
    /// `signprv`.
    pub signing: SigningPrivate,
    /// `noiseprv`.
    pub noise: NoisePrivate,
}

impl PrivateKeys {
    /// Three new, independent keys: for packets, for signatures and for calls.
    pub fn generate([exchange, signing, noise]: [Seed; 3]) -> Self {
        Self {
            exchange: ExchangePrivate::generate(exchange),
            signing: SigningPrivate::generate(signing),
            noise: NoisePrivate::generate(noise),
        }
    }

    /// The id of the node with these keys.
    pub fn node_id(&self) -> NodeId {
        self.signing.public().node_id()
    }
}

impl NoisePublic {
    /// True if everybody knows the secrets that are agreed with this key.
    pub fn is_weak(&self) -> bool {
        is_of_low_order(self.0)
    }
}

impl ExchangePublic {
    /// True if everybody knows the secrets that are agreed with this key.
    pub fn is_weak(&self) -> bool {
        is_of_low_order(self.0)
    }

    /// The id of the area with this public key.
    pub fn area_id(&self) -> AreaId {
        AreaId::of_public_key(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec 19.3, alice: seeds of constant bytes, and the keys that the reference derives from
    /// them.
    #[test]
    fn the_reference_derives_the_same_public_keys_and_id() {
        let signing = SigningPrivate::from_seed(&[0x11; 32]);
        assert_eq!(
            signing.public().to_string(),
            "2BFLEMTUFO2KWOQTNC6UMFPE43ICESVXDIAWXL4FECRTFSLXQ43Q"
        );
        assert_eq!(
            *signing.to_base32(),
            "CEIRCEIRCEIRCEIRCEIRCEIRCEIRCEIRCEIRCEIRCEIRCEIRCEI5ASVSGJ2CXNFLHIJWRPKGCXSONUBCJK3RUALLV6CSBIZSZF3YONY"
        );
        assert_eq!(
            signing.public().node_id().to_string(),
            "2O6XL7GXM5SQIZY645PZLYPNPLNG2FUNDOCSSVSWRYNDFTTKPCDA"
        );
        assert_eq!(
            ExchangePrivate::from_bytes([0x12; 32]).public().to_string(),
            "AUVFA5Z2ZDMRO47S3SLGFYJPBXX6SFPECW4KDSHCBJND22VSXBBQ"
        );
        assert_eq!(
            NoisePrivate::from_bytes([0x13; 32]).public().to_string(),
            "DF74FRLH3QB64KVN6DWYM2A5VQSNVJ3OQPFFKWDV3U56ON3OKMDA"
        );
    }

    #[test]
    fn keys_read_their_own_text() {
        let keys = PrivateKeys::generate([1, 2, 3].map(|byte| Seed::from_bytes([byte; 32])));
        let again: SigningPrivate = keys.signing.to_base32().parse().unwrap();
        assert_eq!(again.public(), keys.signing.public());
        let again: ExchangePrivate = keys.exchange.to_base32().parse().unwrap();
        assert_eq!(again.public(), keys.exchange.public());
    }

    #[test]
    fn wrong_lengths_and_halves_that_do_not_match_are_refused() {
        assert_eq!("MZXW6".parse::<NoisePublic>(), Err(ParseKeyError::Size(3, 32)));
        let mut pair = [7; 64];
        pair[..32].copy_from_slice(&[9; 32]);
        let text = base32::encode(&pair);
        assert_eq!(text.parse::<SigningPrivate>().err(), Some(ParseKeyError::Mismatch));
    }

    #[test]
    fn a_point_of_low_order_gives_no_secret() {
        let private = ExchangePrivate::from_bytes([0x12; 32]);
        assert!(private.agree(&ExchangePublic([0; 32])).is_none());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let keys = PrivateKeys {
            exchange: ExchangePrivate::from_bytes([0x12; 32]),
            signing: SigningPrivate::from_seed(&[0x11; 32]),
            noise: NoisePrivate::from_bytes([0x13; 32]),
        };
        let shown = format!("{keys:?}");
        assert!(!shown.contains(keys.exchange.to_base32().as_str()));
        assert!(!shown.contains(&keys.signing.to_base32()[..40]));
        assert!(!shown.contains("18, 18"));
    }
}
