//! Blobs encrypted with a passphrase. NNCP manual, "EBlob". Balloon hashing derives a key from the
//! passphrase; ChaCha20-Poly1305 (RFC 8439) encrypts the content.
//!
//! ```
//! use packmule_protocol::eblob::{Cost, Eblob, in_turn};
//! use packmule_protocol::seed::Seed;
//!
//! let cheap = Cost { space: 16, time: 1, parallel: 1 };
//! let salt = Seed::from_source(getrandom::fill)?;
//! let file = Eblob::seal(b"passphrase", cheap, salt, b"secret", in_turn)?.to_bytes();
//!
//! let blob = Eblob::parse(&file)?;
//! assert_eq!(*blob.open(b"passphrase", in_turn)?, b"secret");
//! assert!(blob.open(b"another", in_turn).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balloon;

pub use balloon::{Block, Cost, Job};

use crate::magic::{self, EBLOB, Magic, MagicError};
use crate::seed::Seed;
use crate::xdr::{Xdr, XdrError};
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};
use zeroize::Zeroizing;

/// Bytes before the ciphertext.
const HEAD_LEN: usize = 56;
const TAG_LEN: usize = 16;

/// Why a blob cannot be opened or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EblobError {
    /// Not a blob, or one of an obsolete version.
    #[error(transparent)]
    Magic(#[from] MagicError),
    /// The bytes end too early.
    #[error("the encrypted blob {0}")]
    Layout(#[from] XdrError),
    /// A cost of zero, or above the limits.
    #[error("Balloon cost of {} blocks, {} rounds, {} jobs is zero or exceeds the limits", .0.space, .0.time, .0.parallel)]
    Cost(Cost),
    /// The passphrase is wrong, or the blob was altered.
    #[error("chacha20poly1305: message authentication failed (wrong passphrase?)")]
    Forged,
}

impl Cost {
    /// Returns the cost if it is within the limits: a hostile blob must not make its reader
    /// allocate or compute without bounds.
    ///
    /// # Errors
    /// [`EblobError::Cost`].
    pub fn checked(self) -> Result<Self, EblobError> {
        self.is_sane().then_some(self).ok_or(EblobError::Cost(self))
    }
}

/// Runs jobs, possibly in parallel, and returns their results.
pub type Runner = fn(&[Job<'_>]) -> Vec<Zeroizing<Block>>;

/// A runner that runs one job after the other.
pub fn in_turn(jobs: &[Job<'_>]) -> Vec<Zeroizing<Block>> {
    jobs.iter().map(Job::run).collect()
}

/// An encrypted blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eblob {
    cost: Cost,
    salt: [u8; 32],
    blob: Vec<u8>,
}

impl Eblob {
    /// True if `bytes` begin with the magic of a blob of any version.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes
            .first_chunk::<8>()
            .is_some_and(|found| !matches!(magic::check(found, &EBLOB), Err(MagicError::Unknown)))
    }

    /// Parses a blob. Like the reference, ignores bytes after it.
    ///
    /// # Errors
    /// [`EblobError::Magic`] if the bytes are not a blob, [`EblobError::Layout`] if they end too
    /// early.
    pub fn parse(mut bytes: &[u8]) -> Result<Self, EblobError> {
        magic::check(&Magic::decode(&mut bytes)?, &EBLOB)?;
        let cost = Cost {
            space: Xdr::decode(&mut bytes)?,
            time: Xdr::decode(&mut bytes)?,
            parallel: Xdr::decode(&mut bytes)?,
        };
        let (salt, blob) = (Xdr::decode(&mut bytes)?, Vec::decode(&mut bytes)?);
        if blob.len() < TAG_LEN {
            return Err(XdrError::Short.into());
        }
        Ok(Self { cost, salt, blob })
    }

    /// Encrypts `content` with `passphrase`. `salt` becomes part of the blob; `runner` runs the
    /// jobs.
    ///
    /// # Errors
    /// [`EblobError::Cost`] if the cost is outside the limits.
    pub fn seal(
        passphrase: &[u8],
        cost: Cost,
        salt: Seed,
        content: &[u8],
        runner: Runner,
    ) -> Result<Self, EblobError> {
        let mut sealed = Self { cost: cost.checked()?, salt: *salt.into_bytes(), blob: Vec::new() };
        let mut blob = Vec::with_capacity(content.len() + TAG_LEN);
        blob.extend_from_slice(content);
        sealed
            .cipher(passphrase, runner)
            .encrypt_in_place(&[0; 12].into(), &sealed.head(), &mut blob)
            .map_err(|_| EblobError::Forged)?;
        sealed.blob = blob;
        Ok(sealed)
    }

    /// Decrypts the blob; `runner` runs the jobs.
    ///
    /// # Errors
    /// [`EblobError::Cost`] if the blob's cost is outside the limits, before any work;
    /// [`EblobError::Forged`] if the passphrase is wrong or the blob was altered.
    pub fn open(
        &self,
        passphrase: &[u8],
        runner: Runner,
    ) -> Result<Zeroizing<Vec<u8>>, EblobError> {
        self.cost.checked()?;
        let mut content = Zeroizing::new(self.blob.clone());
        self.cipher(passphrase, runner)
            .decrypt_in_place(&[0; 12].into(), &self.head(), &mut *content)
            .map_err(|_| EblobError::Forged)?;
        Ok(content)
    }

    /// The cost of opening it.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Length of the ciphertext with its tag.
    pub fn blob_len(&self) -> usize {
        self.blob.len()
    }

    /// Encodes the blob.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_LEN + self.blob.len() + 3);
        EBLOB.encode(&mut out);
        self.cost.space.encode(&mut out);
        self.cost.time.encode(&mut out);
        self.cost.parallel.encode(&mut out);
        self.salt.encode(&mut out);
        self.blob.encode(&mut out);
        out
    }

    /// The associated data: the encoded structure with an empty ciphertext.
    fn head(&self) -> Vec<u8> {
        Self { blob: Vec::new(), ..*self }.to_bytes()
    }

    fn cipher(&self, passphrase: &[u8], runner: Runner) -> ChaCha20Poly1305 {
        let results = runner(&balloon::jobs(passphrase, &self.salt, self.cost));
        let key = balloon::key(passphrase, &self.salt, &results);
        ChaCha20Poly1305::new((&*key).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER_PERMISSIVE as HEX;
    use proptest::prelude::*;

    /// The reference opens both of these.
    const ABC: &str = "4e4e435042000003000000050000000200000002000102030405060708090a0b\
        0c0d0e0f101112131415161718191a1b1c1d1e1f000000131d8c321615513733\
        1186fdddc96e46395cd6a800";
    const HELLO: &str = "4e4e435042000003000080000000001000000002000102030405060708090a0b\
        0c0d0e0f101112131415161718191a1b1c1d1e1f00000016d8273f6cfb656c48\
        d6b8c954286a878dbeaf392483900000";
    const CHEAP: Cost = Cost { space: 5, time: 2, parallel: 2 };

    fn salt() -> Seed {
        Seed::from_bytes(std::array::from_fn(|n| n as u8))
    }

    fn abc() -> Vec<u8> {
        HEX.decode(ABC.as_bytes()).unwrap()
    }

    #[test]
    fn the_reference_s_blobs_are_made_and_opened() {
        for (hex, cost, content) in [(ABC, CHEAP, "abc"), (HELLO, Cost::default(), "hello\n")] {
            let bytes = HEX.decode(hex.as_bytes()).unwrap();
            let sealed = Eblob::seal(b"pass", cost, salt(), content.as_bytes(), in_turn).unwrap();
            assert_eq!(sealed.to_bytes(), bytes);
            assert_eq!(*sealed.open(b"pass", in_turn).unwrap(), content.as_bytes());
            assert_eq!(Eblob::parse(&bytes), Ok(sealed));
        }
    }

    #[test]
    fn a_wrong_passphrase_or_a_flipped_bit_opens_nothing() {
        let blob = Eblob::parse(&abc()).unwrap();
        assert_eq!(blob.open(b"pasS", in_turn), Err(EblobError::Forged));
        assert_eq!(blob.open(b"", in_turn), Err(EblobError::Forged));
        // The high bytes of the costs are not tested, because large costs would take long.
        for at in [11, 15, 19].into_iter().chain(20..52).chain(56..abc().len() - 1) {
            let mut bytes = abc();
            bytes[at] ^= 1;
            let opened = Eblob::parse(&bytes).and_then(|blob| blob.open(b"pass", in_turn));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        for len in 0..abc().len() {
            assert!(Eblob::parse(&abc()[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn what_follows_the_blob_and_fill_are_not_looked_at() {
        let mut bytes = abc();
        *bytes.last_mut().unwrap() = 0xFF;
        bytes.extend_from_slice(b"more");
        assert_eq!(*Eblob::parse(&bytes).unwrap().open(b"pass", in_turn).unwrap(), b"abc");
    }

    #[test]
    fn costs_out_of_bounds_are_refused_before_any_work() {
        for (space, time, parallel) in
            [(0, 1, 1), (1, 0, 1), (1, 1, 0), (u32::MAX, 1, 1), (1, u32::MAX, 1), (1, 1, u32::MAX)]
        {
            let cost = Cost { space, time, parallel };
            assert_eq!(Eblob::seal(b"", cost, salt(), b"", in_turn), Err(EblobError::Cost(cost)));
            let mut bytes = abc();
            bytes[8..12].copy_from_slice(&space.to_be_bytes());
            bytes[12..16].copy_from_slice(&time.to_be_bytes());
            bytes[16..20].copy_from_slice(&parallel.to_be_bytes());
            assert_eq!(
                Eblob::parse(&bytes).unwrap().open(b"pass", in_turn),
                Err(EblobError::Cost(cost))
            );
        }
    }

    #[test]
    fn obsolete_versions_are_named() {
        let mut bytes = abc();
        bytes[7] = 2;
        let error = Eblob::parse(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "NNCPBv2 (EBlob v2) format is unsupported (used till 3.4)");
        assert!(Eblob::is_one(&bytes));
        bytes[7] = 9;
        assert!(!Eblob::is_one(&bytes));
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(content in proptest::collection::vec(any::<u8>(), 0..300), pass: Vec<u8>) {
            let bytes = Eblob::seal(&pass, CHEAP, salt(), &content, in_turn).unwrap().to_bytes();
            prop_assert_eq!(bytes.len(), HEAD_LEN + (content.len() + TAG_LEN).next_multiple_of(4));
            prop_assert_eq!(&*Eblob::parse(&bytes).unwrap().open(&pass, in_turn).unwrap(), &content);
        }
    }
}
