//! A buffer that is refilled again and again.

use std::io::{self, Read};
use std::ops::{Deref, DerefMut};

/// Bytes of the first read, so that a small packet needs no large buffer.
const FIRST: usize = 64 << 10;

/// Whether a source has more data after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It may have more.
    More,
    /// It is at its end: this batch was the last.
    Nothing,
}

/// A vector that keeps its bytes initialised, so refilling needs no zeroing, which would take as
/// long as reading. Its length is stored separately.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// An empty buffer.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Appends up to `limit` bytes of `source`.
    ///
    /// # Errors
    /// Those of `source`. The bytes before the error are in the buffer.
    pub(super) fn fill(&mut self, source: &mut impl Read, limit: usize) -> io::Result<Left> {
        let end = self.len + limit;
        while self.len < end {
            if self.len == self.bytes.len() {
                let longer = (2 * self.len).max(FIRST).min(end);
                self.bytes.resize(longer, 0);
            }
            let room = self.bytes.len().min(end);
            match source.read(&mut self.bytes[self.len..room]) {
                Ok(0) => return Ok(Left::Nothing),
                Ok(read) => self.len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Left::More)
    }

    /// Appends `len` bytes of unspecified content and returns them.
    pub(super) fn grow(&mut self, len: usize) -> &mut [u8] {
        let start = self.len;
        self.len += len;
        if self.bytes.len() < self.len {
            self.bytes.resize(self.len, 0);
        }
        &mut self.bytes[start..self.len]
    }

    /// Appends `bytes`.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.grow(bytes.len()).copy_from_slice(bytes);
    }

    /// Shortens the buffer to `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Empties the buffer.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}
