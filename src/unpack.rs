//! Recognises and decompresses zstd streams, and recognises other formats to name them in errors.
//! The sender chooses a frame's window, which is memory that the receiver needs, so the window is
//! limited.

use std::io::{self, BufRead, BufReader, Read};
use zstd::stream::read::Decoder;

const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Magic of a skippable frame, after its first byte, which has 16 values. pzstd begins with one.
const SKIPPED: [u8; 3] = [0x2A, 0x4D, 0x18];

/// A format that packmule does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {form}: put `{reader}` in front")]
pub struct Foreign {
    /// The format, such as `compressed with gzip`.
    pub form: &'static str,
    /// The command that converts it.
    pub reader: &'static str,
}

/// First bytes of such formats. No manifest, archive or ZFS stream begins with any of them.
const FOREIGN: [(&[u8], Foreign); 18] = [
    (b"\x1F\x8B", Foreign { form: "compressed with gzip", reader: "zcat" }),
    (b"\xFD7zXZ\0", Foreign { form: "compressed with xz", reader: "xzcat" }),
    (b"\x5D\0\0\x80\0", LZMA),
    (b"\x5D\0\0\0\x01", LZMA),
    (b"\x5D\0\0\0\x04", LZMA),
    (b"LZIP\x01", Foreign { form: "compressed with lzip", reader: "lzip -dc" }),
    (b"\x04\x22\x4D\x18", LZ4),
    (b"\x02\x21\x4C\x18", LZ4),
    (b"\x1F\x9D", Foreign { form: "compressed with compress", reader: "zcat" }),
    (b"\x1F\xA0", Foreign { form: "compressed with compress", reader: "zcat" }),
    (b"\x89LZO\0\r\n\x1A\n", Foreign { form: "compressed with lzop", reader: "lzop -dc" }),
    (b"LRZI\0", Foreign { form: "compressed with lrzip", reader: "lrzcat" }),
    (b"PK\x03\x04", Foreign { form: "a zip archive", reader: "unzip -p" }),
    (b"7z\xBC\xAF\x27\x1C", Foreign { form: "a 7z archive", reader: "7z x -so" }),
    (b"\xFF\xFE", UTF16),
    (b"\xFE\xFF", UTF16),
    (b"#\0m\0", UTF16),
    (b"\0#\0m", UTF16),
];

const LZMA: Foreign = Foreign { form: "compressed with lzma", reader: "xzcat" };
const LZ4: Foreign = Foreign { form: "compressed with lz4", reader: "lz4 -dc" };
const UTF16: Foreign = Foreign { form: "UTF-16 text", reader: "iconv -f UTF-16 -t UTF-8" };

/// Number of first bytes that are needed to recognise a format.
pub(crate) const HEAD: usize = 10;

impl Foreign {
    /// The foreign format that begins with these bytes.
    pub fn of_head(head: &[u8]) -> Option<Self> {
        // In bzip2, a block or the end follows the level. Checked, since a manifest may begin with
        // BZh.
        if let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = head
            && (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
        {
            return Some(Self { form: "compressed with bzip2", reader: "bzcat" });
        }
        FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, foreign)| *foreign)
    }

    /// As [`Self::of_head`], where zstd is foreign, too.
    pub fn or_zstd(head: &[u8]) -> Option<Self> {
        let zstd = Self { form: "compressed with zstd", reader: "zstdcat" };
        Self::of_head(head).or(is_zstd(head).then_some(zstd))
    }

    /// The foreign format in an error of [`readable`].
    pub fn of_error(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    fn refuse(head: &[u8]) -> io::Result<()> {
        match Self::of_head(head) {
            Some(foreign) => Err(io::Error::new(io::ErrorKind::InvalidData, foreign)),
            None => Ok(()),
        }
    }
}

/// Bytes per read.
const PIECE: usize = 256 << 10;

/// The largest window that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// 8 MiB, the maximum of the reference.
    Reference,
    /// 128 MiB, which `zstd --long` writes and `zstd -d` accepts by default.
    Long,
}

/// Decompresses zstd frames.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn frames<R: BufRead>(stream: R, window: Window) -> io::Result<Decoder<'static, R>> {
    let mut decoder = Decoder::with_buffer(stream)?;
    decoder.window_log_max(match window {
        Window::Reference => 23,
        Window::Long => 27,
    })?;
    Ok(decoder)
}

/// Decompresses a stream if it begins like a zstd frame; otherwise returns it unchanged.
///
/// # Errors
/// If the first bytes cannot be read.
pub fn unpacked<'a>(stream: impl Read + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let (head, stream) = with_head(BufReader::with_capacity(PIECE, stream))?;
    if is_zstd(&head) {
        let plain = frames(stream, Window::Long)?;
        return Ok(Box::new(BufReader::with_capacity(PIECE, plain)));
    }
    Ok(Box::new(stream))
}

/// As [`unpacked`], but returns an error that names the format if packmule does not read it.
///
/// # Errors
/// If the first bytes cannot be read; [`Foreign`], also for a foreign format within zstd.
pub(crate) fn readable<'a>(stream: impl Read + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let (head, stream) = with_head(BufReader::with_capacity(PIECE, stream))?;
    Foreign::refuse(&head)?;
    let (head, plain) = with_head(unpacked(stream)?)?;
    Foreign::refuse(&head)?;
    Ok(Box::new(plain))
}

fn is_zstd(head: &[u8]) -> bool {
    let is_skipped = head.len() >= 4 && head[0] & 0xF0 == 0x50 && head[1..4] == SKIPPED;
    is_skipped || head.starts_with(&MAGIC)
}

/// The first bytes of a stream, and the stream from its start.
fn with_head<R: BufRead>(mut stream: R) -> io::Result<(Vec<u8>, impl BufRead)> {
    let mut head = Vec::with_capacity(HEAD);
    stream.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok((head.clone(), io::Cursor::new(head).chain(stream)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of two bytes with the window 2^`log`. RFC 8878, 3.1.1.
    fn frame(log: u8) -> Vec<u8> {
        [&MAGIC[..], &[0, (log - 10) << 3], &[2 << 3 | 1, 0, 0], b"hi"].concat()
    }

    /// Returns one byte per read, like a slow writer of a pipe.
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
        let cut = unpacked(&packed[..packed.len() - 1]).and_then(read);
        assert!(cut.is_err(), "it is cut");
    }

    #[test]
    fn what_is_not_unpacked_is_named() {
        let named = |stream: &[u8]| {
            let error = readable(Slow(stream)).err()?;
            Foreign::of_error(&error).map(|foreign| foreign.form)
        };
        let gzip = b"\x1F\x8B\x08\0rest of it";
        assert_eq!(named(gzip), Some("compressed with gzip"));
        assert_eq!(named(&zstd::encode_all(&gzip[..], 3).unwrap()), Some("compressed with gzip"));
        assert_eq!(named(b"BZh91AY&SYrest"), Some("compressed with bzip2"));
        assert_eq!(named(b"\xFF\xFE#\0m\0"), Some("UTF-16 text"));
        for plain in
            [&b"BZh9 type=file\n"[..], b"#mtree\n", b"LZIP type=dir", b"PK", b"", b"]\0\0\0\0"]
        {
            assert_eq!(named(plain), None);
            assert_eq!(read(readable(plain).unwrap()).unwrap(), plain);
        }
    }

    #[test]
    fn frames_that_are_skipped_are_in_front_of_others() {
        let data = b"stream ".repeat(10);
        let packed = zstd::encode_all(&data[..], 3).unwrap();
        let packed = [&b"\x50\x2A\x4D\x18\x04\0\0\0skip"[..], &packed].concat();
        assert_eq!(read(unpacked(&packed[..]).unwrap()).unwrap(), data);
    }

    #[test]
    fn a_frame_that_looks_further_back_than_it_may_is_refused() {
        let reference = |log| read(frames(&frame(log)[..], Window::Reference).unwrap());
        assert_eq!(reference(23).unwrap(), b"hi");
        assert!(reference(24).is_err());
        let long = |log| unpacked(&frame(log)[..]).and_then(read);
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
