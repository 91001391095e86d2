//! MTH with the leaves hashed on all cores.

use super::BATCH;
use super::pump::{fill, pump};
use packmule_protocol::mth::{self, BLOCK, Digest, Tree};
use rayon::prelude::*;
use std::io::{self, Read, Write};

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

/// Copies all that `source` gives to `sink`, the next batch being read meanwhile; how much it was.
///
/// # Errors
/// Those of either.
pub fn copy(mut source: impl Read + Send, sink: &mut (impl Write + Send)) -> io::Result<u64> {
    let mut size = 0;
    pump(
        |buffer| fill(&mut source, BATCH * BLOCK, buffer),
        |batch| {
            size += batch.len() as u64;
            sink.write_all(batch)
        },
    )?;
    Ok(size)
}

/// Copies all that `source` gives to `sink` and hashes it on the way.
///
/// # Errors
/// Those of either.
pub fn copy_hashed(source: impl Read + Send, sink: &mut (impl Write + Send)) -> io::Result<Digest> {
    let mut hashing = Hashing { sink, hasher: Hasher::new() };
    copy(source, &mut hashing)?;
    Ok(hashing.hasher.finish())
}

/// Hashes what is written while it is written.
struct Hashing<'a, W> {
    sink: &'a mut W,
    hasher: Hasher,
}

impl<W: Write + Send> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() <= BLOCK {
            self.hasher.update(bytes);
            return self.sink.write_all(bytes);
        }
        let Self { sink, hasher } = self;
        let (written, ()) = rayon::join(|| sink.write_all(bytes), || hasher.update(bytes));
        written
    }
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
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
