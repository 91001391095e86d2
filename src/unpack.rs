//! Compressed streams: how zstd is known, and how far back its frames may look.
//!
//! That is the memory they take, and their sender chooses it.

use std::io::{self, BufRead, BufReader, Read};
use zstd::stream::read::Decoder;

const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Bytes read in one go.
const PIECE: usize = 256 << 10;

/// The largest window of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// 8 MiB: what the reference writes at most.
    Reference,
    /// 128 MiB: what `zstd --long` writes, and `zstd -d` takes without being told.
    Long,
}

/// What frames hold.
///
/// # Errors
/// When there is no memory for it.
pub fn frames<R: BufRead>(stream: R, window: Window) -> io::Result<Decoder<'static, R>> {
    let mut decoder = Decoder::with_buffer(stream)?;
    decoder.window_log_max(match window {
        Window::Reference => 23,
        Window::Long => 27,
    })?;
    Ok(decoder)
}

/// What a stream holds that may be compressed with zstd, by its first bytes.
///
/// # Errors
/// Those of reading the first bytes.
pub fn unpacked<'a>(stream: impl Read + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut stream = BufReader::with_capacity(PIECE, stream);
    let mut head = Vec::with_capacity(MAGIC.len());
    stream.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
    let packed = head == MAGIC;
    let stream = io::Cursor::new(head).chain(stream);
    if !packed {
        return Ok(Box::new(stream));
    }
    Ok(Box::new(BufReader::with_capacity(PIECE, frames(stream, Window::Long)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of two bytes, whose window is 2^`log`: RFC 8878, 3.1.1.
    fn frame(log: u8) -> Vec<u8> {
        [&MAGIC[..], &[0, (log - 10) << 3], &[2 << 3 | 1, 0, 0], b"hi"].concat()
    }

    /// Gives one byte at a time, as a slow writer of a pipe does.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }

    fn read(mut stream: impl Read) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn a_stream_is_known_by_its_first_bytes_however_they_come() {
        let data = b"stream ".repeat(1000);
        let packed = zstd::encode_all(&data[..], 3).unwrap();
        for (stream, want) in [(&packed, &data[..]), (&data, &data), (&b"(\xB5".into(), b"(\xB5")] {
            assert_eq!(read(unpacked(&stream[..]).unwrap()).unwrap(), want);
            assert_eq!(read(unpacked(Slow(stream)).unwrap()).unwrap(), want);
        }
        assert!(read(unpacked(&packed[..packed.len() - 1]).unwrap()).is_err(), "it is cut");
    }

    #[test]
    fn a_frame_that_looks_further_back_than_it_may_is_refused() {
        let reference = |log| read(frames(&frame(log)[..], Window::Reference).unwrap());
        assert_eq!(reference(23).unwrap(), b"hi");
        assert!(reference(24).is_err());
        let long = |log| read(unpacked(&frame(log)[..]).unwrap());
        assert_eq!(long(27).unwrap(), b"hi");
        assert!(long(28).is_err());
    }

    #[test]
    fn its_end_stays_the_end() {
        for stream in [&frame(20)[..], b"plain", b""] {
            crate::blocks::ends_for_good(unpacked(stream).unwrap());
        }
    }
}
