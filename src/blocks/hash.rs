//! MTH, with the leaves hashed on all cores.

use super::BATCH;
use super::buffer::{Buffer, Left};
use super::pump::pump;
use packmule_protocol::mth::{self, BLOCK, Digest, Tree};
use rayon::prelude::*;
use rustix::fs::copy_file_range;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// Hashes bytes in order; large pieces on all cores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hasher(mth::Hasher);

impl Hasher {
    /// The hash of no bytes.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Hashes the part of the data that begins at leaf number `first`.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self(mth::Hasher::starting_at(first))
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
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

    /// Adds all bytes of `source`. Reads the next batch while it hashes one.
    ///
    /// # Errors
    /// Those of `source`.
    pub(crate) fn read(&mut self, mut source: impl Read + Send) -> io::Result<()> {
        pump(
            |buffer| buffer.fill(&mut source, BATCH * BLOCK),
            |batch| {
                self.update(batch);
                Ok(())
            },
        )
    }

    /// Completes the last leaf and returns the tree of all leaves.
    pub(crate) fn into_tree(self) -> Tree {
        self.0.into_tree()
    }

    /// The hash of all bytes.
    pub(crate) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// The hash of all bytes of `source`.
///
/// # Errors
/// Those of `source`.
pub(crate) fn hash(source: impl Read + Send) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    hasher.read(source)?;
    Ok(hasher.finish())
}

/// Copies `source` to `sink` and returns the number of bytes. Reads the next batch while it writes
/// one.
///
/// # Errors
/// Those of `source` and `sink`.
pub(crate) fn copy(
    mut source: impl Read + Send,
    sink: &mut (impl Write + Send),
) -> io::Result<u64> {
    let mut size = 0;
    pump(
        |buffer| buffer.fill(&mut source, BATCH * BLOCK),
        |batch| {
            size += batch.len() as u64;
            sink.write_all(batch)
        },
    )?;
    Ok(size)
}

/// Copies a file to another, from their current positions, and hashes it. The kernel copies each
/// batch while the cores hash it. Calls `done` with the number of bytes after each step.
///
/// # Errors
/// Those of either file, and if the source grows meanwhile.
pub(crate) fn copy_hashed(
    source: &File,
    sink: &File,
    mut done: impl FnMut(u64),
) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = Buffer::new();
    let (mut reader, mut writer) = (source, sink);
    let mut offset = reader.stream_position()?;
    // A file of one block is not worth two threads.
    let mut left = buffer.fill(&mut reader, BLOCK)?;
    hasher.update(&buffer);
    writer.write_all(&buffer)?;
    loop {
        offset += buffer.len() as u64;
        done(buffer.len() as u64);
        if left == Left::Nothing {
            return Ok(hasher.finish());
        }
        buffer.clear();
        let batch = BATCH * BLOCK;
        let (copied, read) = rayon::join(
            || copy_by_system(source, offset, sink, batch),
            || {
                let left = buffer.fill(&mut reader, batch)?;
                hasher.update(&buffer);
                io::Result::Ok(left)
            },
        );
        let copied = copied?;
        left = read?;
        let rest =
            buffer.get(copied..).ok_or_else(|| io::Error::other("grew while it was read"))?;
        writer.write_all(rest)?;
    }
}

/// Lets the kernel copy, and returns the number of bytes. Zero if it cannot, as between some file
/// systems.
fn copy_by_system(source: &File, mut offset: u64, sink: &File, len: usize) -> io::Result<usize> {
    let mut copied = 0;
    while copied < len {
        match copy_file_range(source, Some(&mut offset), sink, None, len - copied) {
            Ok(0) => break,
            Ok(more) => copied += more,
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => break,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_copy_is_the_same_and_hashed() {
        use std::io::SeekFrom;
        let bytes: Vec<u8> = (0..5_000_000).map(|i| (i % 251) as u8).collect();
        for len in [0, 1, BLOCK, BATCH * BLOCK, 5_000_000] {
            let (mut source, mut sink) =
                (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
            source.write_all(&bytes[..len]).unwrap();
            source.seek(SeekFrom::Start(0)).unwrap();
            assert_eq!(copy_hashed(&source, &sink, |_| {}).unwrap(), mth::hash(&bytes[..len]));
            let mut copy = Vec::new();
            sink.seek(SeekFrom::Start(0)).unwrap();
            sink.read_to_end(&mut copy).unwrap();
            assert!(copy == bytes[..len], "{len}");
        }
    }

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
