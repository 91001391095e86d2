//! Frames, which contain the Noise messages on the stream.
//!
//! ```text
//! offset  size  field
//! 0       8     magic "NNCPS" 0 0 1
//! 8       4     n, big-endian
//! 12      n     Noise message
//! 12+n    0..3  fill to a multiple of four
//! ```
//!
//! The header is not authenticated, so its values are checked against limits before they are used.

use crate::magic;

/// Number of bytes before the Noise message.
pub const HEADER_LEN: usize = 12;
/// Limit for a Noise message during the handshake, from the Noise specification.
pub const MAX_HANDSHAKE: usize = 65_535;
/// Limit for a Noise message after the handshake, as in the reference.
pub const MAX_TRANSPORT: usize = 131_072;

/// Why the stream does not contain a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Another protocol, or a stream that is out of step.
    #[error("bad magic number")]
    Magic,
    /// The length exceeds the limit.
    #[error("frame of {0} bytes is too long")]
    TooLong(u32),
}

/// Starts a frame at the end of `out` and returns its start for [`finish`].
pub fn begin(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&magic::SYNC);
    out.extend_from_slice(&[0; 4]);
    start
}

/// Completes the frame that begins at `start`: all bytes after its header are the message.
pub fn finish(out: &mut Vec<u8>, start: usize) {
    let len = out.len() - start - HEADER_LEN;
    let word = u32::try_from(len).expect("messages are made below 64 KiB");
    out[start + 8..start + HEADER_LEN].copy_from_slice(&word.to_be_bytes());
    out.resize(out.len() + len.next_multiple_of(4) - len, 0);
}

/// Appends the frame of `message` to `out`.
pub(super) fn put(out: &mut Vec<u8>, message: &[u8]) {
    let start = begin(out);
    out.extend_from_slice(message);
    finish(out, start);
}

/// Finds the frames in a stream that arrives in pieces of any size.
///
/// Stores the bytes that were pushed and not taken. To limit them, the caller must push only if
/// [`Deframer::is_hungry`].
#[derive(Debug, Default)]
pub struct Deframer {
    buffer: Vec<u8>,
    /// All bytes before this one were taken.
    start: usize,
}

impl Deframer {
    /// Appends bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The Noise message of the next complete frame, for decryption in place; `None` if no frame is
    /// complete.
    ///
    /// # Errors
    /// If the bytes cannot become a frame with a message of at most `limit` bytes. Reported as
    /// early as possible, even if the frame is incomplete.
    pub fn next(&mut self, limit: usize) -> Result<Option<&mut [u8]>, FrameError> {
        let Some(len) = self.announced(limit)? else { return Ok(None) };
        let whole = HEADER_LEN + len.next_multiple_of(4);
        if self.buffer.len() - self.start < whole {
            return Ok(None);
        }
        let body = self.start + HEADER_LEN;
        self.start += whole;
        Ok(Some(&mut self.buffer[body..body + len]))
    }

    /// True if the next frame is not complete (or cannot become one).
    pub fn is_hungry(&self, limit: usize) -> bool {
        match self.announced(limit) {
            Ok(None) => true,
            Ok(Some(len)) => self.buffer.len() - self.start < HEADER_LEN + len.next_multiple_of(4),
            Err(_) => false,
        }
    }

    /// Frees memory if no bytes are stored.
    pub fn release(&mut self) {
        if !self.has_partial() {
            *self = Self::default();
        }
    }

    /// True if there is an incomplete frame.
    fn has_partial(&self) -> bool {
        self.start < self.buffer.len()
    }

    fn announced(&self, limit: usize) -> Result<Option<usize>, FrameError> {
        let bytes = &self.buffer[self.start..];
        let seen = bytes.len().min(magic::SYNC.len());
        if bytes[..seen] != magic::SYNC[..seen] {
            return Err(FrameError::Magic);
        }
        let Some(word) = bytes.get(8..HEADER_LEN) else { return Ok(None) };
        let word = u32::from_be_bytes(word.try_into().expect("four bytes"));
        match usize::try_from(word) {
            Ok(len) if len <= limit => Ok(Some(len)),
            _ => Err(FrameError::TooLong(word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let start = begin(&mut out);
        out.extend_from_slice(message);
        finish(&mut out, start);
        out
    }

    #[test]
    fn a_frame_is_magic_length_message_and_fill() {
        assert_eq!(frame(b"hello"), b"NNCPS\0\0\x01\0\0\0\x05hello\0\0\0");
        assert_eq!(frame(b"four"), b"NNCPS\0\0\x01\0\0\0\x04four");
    }

    #[test]
    fn a_wrong_magic_is_refused_at_its_first_wrong_byte() {
        for len in 1..8 {
            let mut deframer = Deframer::default();
            let mut bytes = frame(b"x")[..len].to_vec();
            deframer.push(&bytes);
            assert_eq!(deframer.next(MAX_TRANSPORT), Ok(None), "{len}");
            bytes[len - 1] ^= 1;
            let mut deframer = Deframer::default();
            deframer.push(&bytes);
            assert_eq!(deframer.next(MAX_TRANSPORT), Err(FrameError::Magic), "{len}");
            assert!(!deframer.is_hungry(MAX_TRANSPORT));
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_the_body_came() {
        let header = |len: u32| [&magic::SYNC[..], &len.to_be_bytes()].concat();
        for len in [65_536, 131_073, 1 << 31, u32::MAX] {
            let mut deframer = Deframer::default();
            deframer.push(&header(len));
            assert_eq!(deframer.next(MAX_HANDSHAKE), Err(FrameError::TooLong(len)));
        }
        let mut deframer = Deframer::default();
        deframer.push(&header(131_072));
        assert_eq!(deframer.next(MAX_TRANSPORT), Ok(None));
    }

    proptest! {
        #[test]
        fn frames_are_found_however_the_stream_is_cut(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            cut in 1..30usize,
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
            let mut deframer = Deframer::default();
            let mut found = Vec::new();
            for piece in stream.chunks(cut) {
                deframer.push(piece);
                while let Some(message) = deframer.next(MAX_TRANSPORT).unwrap() {
                    found.push(message.to_vec());
                }
            }
            prop_assert_eq!(found, messages);
            prop_assert!(!deframer.has_partial());
        }
    }
}
