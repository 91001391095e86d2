//! Finds packets in any stream of bytes: several bundles, with other bytes before, between and after
//! them, or archives made by a tar program.
//!
//! Searches for the first bytes, or the prefix field, of a packet's header at any offset, without
//! alignment. If a match is not a packet, the search continues right after the match, so that it
//! misses nothing. Only the bytes of an opened packet are not searched.

use super::header::{self, Described, Kind, Step};
use crate::unpack::{Foreign, HEAD};
use memchr::memmem;
use packmule_protocol::exchange::{BUNDLE_ROOT, bundled_packet};
use packmule_protocol::id::PacketHash;
use packmule_protocol::packet::{HEADER_LEN, Header};
use std::io::{self, Read};

/// Offset of the prefix field in a header.
const PREFIX_AT: usize = 345;
/// Bytes of one read. A tape returns whole blocks and fails if the buffer is smaller.
const READ: usize = 1 << 20;
/// Maximal number of headers before a packet's own: a directory, a long name, extended headers.
const HEADERS_MAX: usize = 8;

/// Finds packets in a stream.
pub struct Search<R> {
    source: R,
    buffer: Vec<u8>,
    /// Start of the unread bytes in the buffer.
    start: usize,
    end: usize,
    ended: bool,
    /// The first bytes of the stream.
    head: Vec<u8>,
    /// True once a packet was found.
    found: bool,
}

/// A packet in the stream, as described by its headers.
pub struct Found<'a, R> {
    /// Its name in the tar header.
    pub packet: PacketHash,
    /// Its size in bytes.
    pub size: u64,
    /// Its own header, unverified.
    pub header: Header,
    search: &'a mut Search<R>,
}

/// A packet's headers. They end at the offset `at` of the buffer.
struct Headers {
    packet: PacketHash,
    size: u64,
    header: Header,
    at: usize,
}

impl<R: Read> Search<R> {
    /// Searches `source` from its start.
    pub fn new(source: R) -> Self {
        Self::with_buffer(source, Vec::new())
    }

    /// Like `new`, but reuses the buffer of an earlier search.
    pub fn with_buffer(source: R, buffer: Vec<u8>) -> Self {
        Self { source, buffer, start: 0, end: 0, ended: false, head: Vec::new(), found: false }
    }

    /// The format of the stream, if it holds no packet and its first bytes are of a known format.
    pub fn foreign(&self) -> Option<Foreign> {
        if self.found { None } else { Foreign::or_zstd(&self.head) }
    }

    /// Ends the search and returns its buffer.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The next packet; `None` at the end of the stream. If the caller does not open it, the search
    /// continues in its bytes, so that a wrong size hides no other packet.
    ///
    /// # Errors
    /// Those of the source.
    pub fn next_packet(&mut self) -> io::Result<Option<Found<'_, R>>> {
        loop {
            self.start = match candidate(self.ahead()) {
                Some(at) => self.start + at,
                None if self.ended => return Ok(None),
                None => {
                    // The last bytes may be the start of a header that is not read completely yet.
                    self.start = self.end - self.ahead().len().min(header::LEN - 1);
                    self.fill(self.ahead().len() + 1)?;
                    continue;
                }
            };
            match self.headers()? {
                Some(Headers { packet, size, header, at }) => {
                    // Continue after the headers, so that they are not found again.
                    self.start = at;
                    self.found = true;
                    return Ok(Some(Found { packet, size, header, search: self }));
                }
                None => self.start += 1,
            }
        }
    }

    /// The headers of a packet, if they begin at the current position.
    fn headers(&mut self) -> io::Result<Option<Headers>> {
        let mut described = Described::default();
        let mut len = 0;
        for _ in 0..HEADERS_MAX {
            self.fill(len + header::LEN)?;
            let block = self.ahead().get(len..).and_then(<[u8]>::first_chunk);
            let Some(step) = block.and_then(header::parse) else { return Ok(None) };
            len += header::LEN;
            match step.kind {
                Kind::File => return self.file(len, &step, &described),
                Kind::Directory if step.size > 0 => return Ok(None),
                _ if step.size > header::EXTENDED_MAX => return Ok(None),
                kind => {
                    let size = usize::try_from(step.size).expect("at most EXTENDED_MAX");
                    self.fill(len + size)?;
                    let content = self.ahead().get(len..len + size);
                    if content.and_then(|content| described.learn(kind, content)).is_none() {
                        return Ok(None);
                    }
                    len += size.next_multiple_of(header::LEN);
                }
            }
        }
        Ok(None)
    }

    /// The packet after `len` bytes of headers. `step`: its own header. `described`: the data of headers
    /// before that.
    fn file(
        &mut self,
        len: usize,
        step: &Step,
        described: &Described,
    ) -> io::Result<Option<Headers>> {
        let Some(size) = described.size(step.size) else { return Ok(None) };
        let Some(packet) = bundled_packet(described.name.as_deref().unwrap_or(&step.name)) else {
            return Ok(None);
        };
        if size < HEADER_LEN as u64 {
            return Ok(None);
        }
        self.fill(len + HEADER_LEN)?;
        let head = self.ahead().get(len..).and_then(|head| Header::parse(head).ok());
        Ok(head.map(|header| Headers { packet, size, header, at: self.start + len }))
    }

    fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads until `len` bytes are ahead, or the stream ends.
    fn fill(&mut self, len: usize) -> io::Result<()> {
        while self.end - self.start < len && !self.ended {
            if self.buffer.len() - self.end < READ {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
                let need = self.end + READ;
                self.buffer.resize(need.max(self.buffer.len()), 0);
            }
            match self.source.read(&mut self.buffer[self.end..][..READ]) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    let missing = HEAD.saturating_sub(self.head.len()).min(read);
                    self.head.extend_from_slice(&self.buffer[self.end..][..missing]);
                    self.end += read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The first offset at which a packet's header, or one that can precede it, may begin.
fn candidate(bytes: &[u8]) -> Option<usize> {
    let is_header =
        |at: &usize| bytes.get(*at..).and_then(<[u8]>::first_chunk).is_some_and(header::is_one);
    let named = memmem::find_iter(bytes, BUNDLE_ROOT)
        .find_map(|at| [at.checked_sub(PREFIX_AT), Some(at)].into_iter().flatten().find(is_header));
    let before = &bytes[..named.map_or(bytes.len(), |at| at + header::LEN)];
    let first = memmem::find_iter(before, header::BEFORE).find(is_header);
    first.into_iter().chain(named).min()
}

impl<'a, R: Read> Found<'a, R> {
    /// The packet's bytes: as many as its headers announce, unless the stream ends first.
    pub fn open(self) -> Packet<'a, R> {
        Packet { search: self.search, left: self.size }
    }
}

/// The bytes of one packet.
pub struct Packet<'a, R> {
    search: &'a mut Search<R>,
    left: u64,
}

impl<R> Packet<'_, R> {
    /// Bytes that were not read. If not 0 at the end of the stream, the packet is truncated.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Packet<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if limit > 0 {
            self.search.fill(1)?;
        }
        let len = self.search.ahead().len().min(limit);
        buffer[..len].copy_from_slice(&self.search.ahead()[..len]);
        self.search.start += len;
        self.left -= len as u64;
        Ok(len)
    }
}

#[cfg(test)]
pub(super) mod tests;
