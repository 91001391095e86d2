//! A file sent in pieces. NNCP manual, "Chunked files".
//!
//! All pieces and the description are written before the first is published, so a failure half-way
//! leaves nothing in the queue.

use super::file::Delivery;
use super::queue::{QueueError, Written};
use super::{Outbox, Queued};
use crate::blocks::Hasher;
use packmule_protocol::chunked::{CHUNK_INFIX, META_SUFFIX, Meta};
use std::io::{self, BufRead, BufReader, Read};

impl<'a> Outbox<'a> {
    /// Queues `source` in pieces of `chunk_size` bytes, then their description.
    pub(super) fn chunks(
        &self,
        delivery: &Delivery<'a>,
        chunk_size: u64,
        source: impl Read + Send,
    ) -> Result<(), QueueError> {
        let mut source = BufReader::with_capacity(128 * 1024, source);
        let mut meta = Meta { file_size: 0, chunk_size, checksums: Vec::new() };
        let mut written: Vec<(Vec<u8>, Written<'a>)> = Vec::new();
        // An empty source is one empty piece; a source that is a multiple has no empty last one.
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
        let packet = self.write_delivery(delivery, &name, Some(bytes.len() as u64), &bytes[..])?;
        for (name, piece) in written {
            let queued = self.publish(piece)?;
            self.log.info(delivery.sent(&name, queued));
        }
        let queued = self.publish(packet)?;
        // The reference logs a description without its plain header.
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

/// A piece of the source, hashed as it is read.
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
