//! Sends a file in chunks. NNCP manual, "Chunked files".
//!
//! All chunks and the meta file are written before the first is published, so after a failure
//! nothing is queued. Written chunks are closed, so their number has no limit.

use super::delivery::Delivery;
use super::error::QueueError;
use super::queue::{Queued, Written};
use crate::blocks::{Fused, Hasher};
use crate::ledger::Following;
use crate::local::Local;
use crate::spool::unfinished::Publishing;
use packmule_protocol::chunked::{CHUNK_INFIX, META_SUFFIX, Meta};
use std::io::{self, BufRead, BufReader, Read};

impl Local {
    /// Queues `source` in chunks of `chunk_size` bytes, then the meta file.
    pub(super) fn chunks<'a>(
        &'a self,
        delivery: &mut Delivery<'a>,
        chunk_size: u64,
        source: Fused<impl Read + Send>,
    ) -> Result<(), QueueError> {
        delivery.batch = Some(self.spool.batch()?);
        let delivery = &*delivery;
        let mut source = BufReader::with_capacity(128 * 1024, source);
        let mut meta = Meta { file_size: 0, chunk_size, checksums: Vec::new() };
        let mut written: Vec<(Vec<u8>, Written<'a>)> = Vec::new();
        // An empty source is one empty chunk. A source that is a multiple of the size has no empty
        // last one.
        loop {
            let mut piece = Piece { source: (&mut source).take(chunk_size), hash: Hasher::new() };
            let name = suffixed(delivery, &format!("{CHUNK_INFIX}{}", meta.checksums.len()));
            let packet = self.write_delivery(delivery, &name, None, &mut piece)?;
            meta.file_size += chunk_size - piece.source.limit();
            meta.checksums.push(piece.hash.finish());
            written.push((name, packet));
            if source.fill_buf().map_err(failed)?.is_empty() {
                break;
            }
        }
        let bytes = meta.to_bytes();
        let name = suffixed(delivery, META_SUFFIX);
        let mut packet =
            self.write_delivery(delivery, &name, Some(bytes.len() as u64), &bytes[..])?;
        let pieces = written.iter_mut().map(|(_, piece)| piece);
        let all = pieces.chain([&mut packet]).filter_map(|packet| packet.followed.take());
        let _publishing = Publishing::begin();
        let following = self.follow(all.collect::<Vec<_>>())?;
        for (name, piece) in written {
            let queued = self.publish_one(piece)?;
            self.log.info(delivery.sent(&name, queued));
        }
        let queued = self.publish_one(packet)?;
        following.map_or(Ok(()), Following::published)?;
        // The reference logs the size of a meta file without its plain header.
        self.log.info(delivery.sent(&name, Queued { content: bytes.len() as u64, ..queued }));
        Ok(())
    }
}

fn suffixed(delivery: &Delivery<'_>, suffix: &str) -> Vec<u8> {
    [&delivery.destination, suffix.as_bytes()].concat()
}

fn failed(error: io::Error) -> QueueError {
    QueueError::Seal(crate::blocks::SealError::Source(error))
}

/// A chunk of the source, hashed while it is read.
struct Piece<R> {
    source: io::Take<R>,
    hash: Hasher,
}

impl<R: Read> Read for Piece<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::testing::TestNode;
    use crate::outbound::{Destination, FileOptions, Source};
    use crate::spool::Xx;

    /// Queues `source` in chunks of `chunk_size` bytes, and returns the number of packets.
    fn packets(source: Source, chunk_size: u64) -> u64 {
        let node = TestNode::alice();
        let local = &node.local;
        let options = FileOptions { chunked: Some(chunk_size), ..FileOptions::default() };
        local.file(Destination::Node(node.bob()), source, b"x", b"x", options).unwrap();
        assert_eq!(std::fs::read_dir(local.spool.tmp_dir()).unwrap().count(), 0);
        node.held(Xx::Tx).len() as u64
    }

    fn size(mut source: Source) -> u64 {
        source.content.read_to_end(&mut Vec::new()).unwrap() as u64
    }

    #[test]
    fn the_end_of_a_piece_stays_the_end() {
        let piece = Piece { source: b"abcdef".take(3), hash: Hasher::new() };
        assert_eq!(crate::blocks::ends_for_good(piece), b"abc");
    }

    #[test]
    fn every_source_ends_whatever_its_size_is_to_that_of_a_chunk() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), [1; 3000]).unwrap();
        let file = dir.path().join("file");
        let sources: [&dyn Fn() -> Source; 4] = [
            &|| Source::open(dir.path()).unwrap(),
            &|| Source::open(&file).unwrap(),
            &|| Source::stream(crate::blocks::Again::new(&[2; 3000])),
            &|| Source::bytes(vec![3; 3000]),
        ];
        for (number, source) in sources.into_iter().enumerate() {
            let size = size(source());
            for chunk_size in [512, 1024, size / 2, size - 1, size, size + 1] {
                let whole = source().size.is_some_and(|size| size <= chunk_size);
                let want = if whole { 1 } else { size.div_ceil(chunk_size) + 1 };
                assert_eq!(packets(source(), chunk_size), want, "{number}: {size} by {chunk_size}");
            }
        }
    }
}
