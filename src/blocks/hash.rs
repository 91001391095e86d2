//! MTH with the leaves hashed on all cores.

use super::BATCH;
use super::pump::{fill, pump};
use packmule_protocol::mth::{self, BLOCK, Digest, Tree};
use rayon::prelude::*;
use std::io::{self, Read};

/// Hashes bytes in order, large pieces on all cores.
#[derive(Debug, Clone, Default)]
pub struct Hasher(mth::Hasher);

impl Hasher {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// For the bytes from leaf number `first` on.
    pub fn starting_at(first: u64) -> Self {
        Self(mth::Hasher::starting_at(first))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if self.0.room() < BLOCK {
            let (head, rest) = bytes.split_at(bytes.len().min(self.0.room()));
            self.0.update(head);
            bytes = rest;
        }
        let leaves = bytes.chunks_exact(BLOCK);
        let rest = leaves.remainder();
        if leaves.len() > 1 {
            let digests: Vec<Digest> = bytes.par_chunks_exact(BLOCK).map(mth::leaf).collect();
            digests.into_iter().for_each(|digest| self.0.push_leaf(digest));
        } else {
            leaves.for_each(|block| self.0.push_leaf(mth::leaf(block)));
        }
        self.0.update(rest);
    }

    /// The run of leaves so far, the last one closed.
    pub fn into_tree(self) -> Tree {
        self.0.into_tree()
    }

    /// The hash of all bytes.
    pub fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// The hash of all that `source` gives.
///
/// # Errors
/// Those of `source`.
pub fn hash(mut source: impl Read + Send) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    pump(
        |buffer| fill(&mut source, BATCH * BLOCK, buffer),
        |batch| {
            hasher.update(batch);
            Ok(())
        },
    )?;
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn pieces_and_cores_make_no_difference(len in 0_usize..5_000_000, piece in 1_usize..3_000_000) {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let want = mth::hash(&bytes);
            let mut hasher = Hasher::new();
            bytes.chunks(piece).for_each(|piece| hasher.update(piece));
            prop_assert_eq!(hasher.finish(), want);
            prop_assert_eq!(hash(&bytes[..]).unwrap(), want);
        }
    }
}
