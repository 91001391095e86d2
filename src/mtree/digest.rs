//! Digests of a file's content: the algorithms, a hasher for several at once, and compact storage.

use super::cksum::Cksum;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use md5::Md5;
use ripemd::Ripemd160;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512, Sha512_256};
use std::fmt;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
#[allow(missing_docs)] // The algorithms' own names.
pub enum Algorithm {
    Cksum,
    Md5,
    Rmd160,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Sha512256,
}

impl Algorithm {
    /// All algorithms, in the order in which digests are stored.
    pub const ALL: [Self; 8] = [
        Self::Cksum,
        Self::Md5,
        Self::Rmd160,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha512256,
    ];

    /// Length of a digest in bytes.
    pub fn length(self) -> usize {
        match self {
            Self::Cksum => 4,
            Self::Md5 => 16,
            Self::Rmd160 | Self::Sha1 => 20,
            Self::Sha256 | Self::Sha512256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The digests of one file.
///
/// Stored compactly, each as a tag and its bytes: a manifest may have millions of files, and most
/// of them have one digest.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Digests(Box<[u8]>);

impl Digests {
    /// The digest of this algorithm.
    pub fn find(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.iter().find(|(one, _)| *one == algorithm).map(|(_, value)| value)
    }

    /// All digests, in the order of [`Algorithm::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Algorithm, &[u8])> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (tag, after) = rest.split_first()?;
            let algorithm = Algorithm::ALL[usize::from(*tag)];
            let (value, after) = after.split_at(algorithm.length());
            rest = after;
            Some((algorithm, value))
        })
    }

    /// Adds a digest, or replaces the one of the same algorithm.
    ///
    /// # Panics
    /// If `value` does not have the length of the algorithm's digests.
    pub fn set(&mut self, algorithm: Algorithm, value: &[u8]) {
        assert_eq!(value.len(), algorithm.length(), "a digest has the length of its algorithm");
        let all = Algorithm::ALL.into_iter();
        let new = |one| if one == algorithm { Some(value) } else { self.find(one) };
        self.0 = pack(all.filter_map(|one| Some((one, new(one)?))));
    }

    /// Removes the digest of this algorithm.
    pub fn remove(&mut self, algorithm: Algorithm) {
        let kept: Vec<_> = self.iter().filter(|(one, _)| *one != algorithm).collect();
        self.0 = pack(kept.into_iter());
    }

    /// True if there is no digest.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn pack<'a>(digests: impl Iterator<Item = (Algorithm, &'a [u8])>) -> Box<[u8]> {
    let mut packed = Vec::with_capacity(33);
    for (algorithm, value) in digests {
        packed.push(algorithm as u8);
        packed.extend_from_slice(value);
    }
    packed.into_boxed_slice()
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Computes several digests of the same content.
pub struct Hasher {
    running: Vec<Running>,
    /// Buffer for the packed digests.
    packed: Vec<u8>,
}

enum Running {
    Cksum(Cksum),
    Md5(Md5),
    Rmd160(Ripemd160),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Sha512256(Sha512_256),
}

impl Hasher {
    /// A hasher for the given algorithms.
    pub fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let running = algorithms.into_iter().map(Running::new).collect();
        Self { running, packed: Vec::new() }
    }

    /// Starts anew with the given algorithms.
    pub(super) fn restart(&mut self, algorithms: impl IntoIterator<Item = Algorithm>) {
        self.running.clear();
        self.running.extend(algorithms.into_iter().map(Running::new));
    }

    /// Adds content.
    pub fn update(&mut self, bytes: &[u8]) {
        for running in &mut self.running {
            running.update(bytes);
        }
    }

    /// The digests of the content since the start. Resets the hasher to no algorithm.
    pub fn finish(&mut self) -> Digests {
        self.running.sort_unstable_by_key(|running| running.algorithm() as u8);
        self.packed.clear();
        for running in self.running.drain(..) {
            self.packed.push(running.algorithm() as u8);
            running.finish(&mut self.packed);
        }
        Digests(Box::from(&self.packed[..]))
    }
}

impl Running {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Cksum => Self::Cksum(Cksum::default()),
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Rmd160 => Self::Rmd160(Ripemd160::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha384 => Self::Sha384(Sha384::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
            Algorithm::Sha512256 => Self::Sha512256(Sha512_256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Cksum(state) => state.update(bytes),
            Self::Md5(state) => state.update(bytes),
            Self::Rmd160(state) => state.update(bytes),
            Self::Sha1(state) => state.update(bytes),
            Self::Sha256(state) => state.update(bytes),
            Self::Sha384(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
            Self::Sha512256(state) => state.update(bytes),
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Cksum(_) => Algorithm::Cksum,
            Self::Md5(_) => Algorithm::Md5,
            Self::Rmd160(_) => Algorithm::Rmd160,
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha384(_) => Algorithm::Sha384,
            Self::Sha512(_) => Algorithm::Sha512,
            Self::Sha512256(_) => Algorithm::Sha512256,
        }
    }

    /// Appends the digest.
    fn finish(self, digest: &mut Vec<u8>) {
        match self {
            Self::Cksum(state) => digest.extend(state.finish().to_be_bytes()),
            Self::Md5(state) => digest.extend(state.finalize()),
            Self::Rmd160(state) => digest.extend(state.finalize()),
            Self::Sha1(state) => digest.extend(state.finalize()),
            Self::Sha256(state) => digest.extend(state.finalize()),
            Self::Sha384(state) => digest.extend(state.finalize()),
            Self::Sha512(state) => digest.extend(state.finalize()),
            Self::Sha512256(state) => digest.extend(state.finalize()),
        }
    }
}

/// Lowercase hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Appends lowercase hexadecimal to `text`.
pub(super) fn push_hex(bytes: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    text.resize(start + HEXLOWER.encode_len(bytes.len()), 0);
    HEXLOWER.encode_mut(bytes, &mut text[start..]);
}

/// Decodes hexadecimal digits of either case; there must be two per byte of `bytes`.
pub(super) fn unhex(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    let fits = HEXLOWER_PERMISSIVE.decode_len(text.len()) == Ok(bytes.len());
    fits.then(|| HEXLOWER_PERMISSIVE.decode_mut(text, bytes).ok())?.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_gives_its_known_digest() {
        let mut hasher = Hasher::new(Algorithm::ALL);
        hasher.update(b"123456");
        hasher.update(b"789");
        let digests = hasher.finish();
        let check = |algorithm, want: &str| {
            assert_eq!(hex(digests.find(algorithm).unwrap()), want, "{algorithm:?}");
        };
        check(Algorithm::Cksum, "377a6011");
        check(Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b");
        check(Algorithm::Rmd160, "d3d0379126c1e5e0ba70ad6e5e53ff6aeab9f4fa");
        check(Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        check(
            Algorithm::Sha256,
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        );
        assert_eq!(digests.iter().count(), 8);
    }

    #[test]
    fn digests_are_set_replaced_and_removed() {
        let mut digests = Digests::default();
        digests.set(Algorithm::Sha1, &[1; 20]);
        digests.set(Algorithm::Md5, &[2; 16]);
        digests.set(Algorithm::Sha1, &[3; 20]);
        let kept: Vec<_> = digests.iter().map(|(one, value)| (one, value[0])).collect();
        assert_eq!(kept, [(Algorithm::Md5, 2), (Algorithm::Sha1, 3)]);
        digests.remove(Algorithm::Md5);
        assert_eq!(digests.find(Algorithm::Md5), None);
    }

    #[test]
    fn hexadecimal_of_either_case_and_nothing_else() {
        let mut bytes = [0; 2];
        assert_eq!(unhex(b"0aFF", &mut bytes), Some(()));
        assert_eq!(bytes, [10, 255]);
        for text in ["0aF", "0a", "0aFg", "0aFF0", "0aFF00", ""] {
            assert_eq!(unhex(text.as_bytes(), &mut bytes), None, "{text}");
        }
        assert_eq!(hex(&[10, 255]), "0aff");
    }
}
