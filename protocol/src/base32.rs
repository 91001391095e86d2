//! RFC 4648 base32, upper case, without padding: the text form of all NNCP identifiers and keys.

use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;

static LAX: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    spec.check_trailing_bits = false;
    spec.ignore.push_str("\r\n");
    spec.encoding().expect("a valid base32 alphabet")
});

/// Why a text is not base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("illegal base32 data at input byte {at}")]
pub struct Base32Error {
    /// Offset of the first illegal byte.
    pub at: usize,
}

/// Writes the canonical form.
pub fn encode(bytes: &[u8]) -> String {
    data_encoding::BASE32_NOPAD.encode(bytes)
}

/// Decodes base32 as the reference does: skips line breaks and ignores the unused low bits of the
/// last character. Rejects lower case and padding.
///
/// # Errors
/// Names the first illegal byte, or the end of a text that is too short.
pub fn decode(text: &str) -> Result<Vec<u8>, Base32Error> {
    LAX.decode(text.as_bytes()).map_err(|error| {
        let foreign = |byte: u8| !matches!(byte, b'A'..=b'Z' | b'2'..=b'7' | b'\r' | b'\n');
        Base32Error { at: text.bytes().position(foreign).unwrap_or(error.position) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_bits_and_line_breaks_are_tolerated_but_never_written() {
        assert_eq!(decode("MZXW6"), Ok(b"foo".to_vec()));
        assert_eq!(decode("MZ\nXW7\r"), Ok(b"foo".to_vec()));
        assert_eq!(encode(b"foo"), "MZXW6");
    }

    #[test]
    fn lower_case_padding_and_foreign_characters_are_refused_by_position() {
        assert_eq!(decode("nosuch"), Err(Base32Error { at: 0 }));
        assert_eq!(decode("MZXW6==="), Err(Base32Error { at: 5 }));
        assert_eq!(decode("MZ1"), Err(Base32Error { at: 2 }));
    }
}
