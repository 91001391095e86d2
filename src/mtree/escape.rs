//! Escapes in names and link targets: written in octal, read in the escapes of every tool.

use std::fmt;

/// Bytes as written in a manifest: every byte that is special to any tool is in octal.
///
/// This is the encoding of go-mtree, which compares link targets as escaped text. Every other tool
/// decodes it.
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(self.0.len());
        escape(self.0, &mut text);
        f.write_str(str::from_utf8(&text).expect("escaped text is ASCII"))
    }
}

/// Appends `bytes`, escaped, to `text`.
pub(super) fn escape(bytes: &[u8], text: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'#' | b'*' | b'?' | b'[' | 0..=b' ' | 0x7f.. => octal(byte, text),
            plain => text.push(plain),
        }
    }
}

/// As [`escape`], but with the backslash in octal too, so that the comment never ends in one.
pub(super) fn escape_in_comment(bytes: &[u8], text: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'\\' => octal(byte, text),
            other => escape(&[other], text),
        }
    }
}

/// As [`escape`], but with `=` in octal too, because it ends the name of an extended attribute.
pub(super) fn escape_attribute(bytes: &[u8], text: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'=' => octal(byte, text),
            other => escape(&[other], text),
        }
    }
}

fn octal(byte: u8, text: &mut Vec<u8>) {
    text.extend_from_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
}

/// Why a name is not valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EscapeError {
    /// A backslash that begins no known escape.
    #[error("an escape that no tool writes")]
    Unknown,
    /// An octal escape above `\377`.
    #[error("an octal escape above \\377")]
    TooBig,
    /// An escape for NUL, which no name contains.
    #[error("an escape for NUL")]
    Nul,
    /// An escape for a slash, which no name contains.
    #[error("an escape for a slash")]
    Slash,
}

/// Length of the first token of `text`: a plain byte or an escape.
///
/// The byte after `\M-`, `\M^` and `\^` belongs to the escape, so it is never a comment, a
/// separator or a continuation: NetBSD's mtree writes 0xa3 as `\M-#` and 0xdc as `\M-\`.
/// Blanks end an escape. `text` must not be empty.
pub(super) fn token_length(text: &[u8]) -> usize {
    if text[0] != b'\\' {
        return 1;
    }
    let wanted = match text.get(1) {
        Some(b'^') => 3,
        Some(b'M') => 4,
        Some(b'x') => 4,
        Some(b'0'..=b'7') => {
            1 + text[1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count()
        }
        _ => 2,
    };
    let there = text.iter().take(wanted);
    there.take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// Decodes `text`.
pub(super) fn unescape(mut text: &[u8]) -> Result<Vec<u8>, EscapeError> {
    let mut bytes = Vec::with_capacity(text.len());
    while !text.is_empty() {
        let (token, rest) = text.split_at(token_length(text));
        bytes.push(decode(token)?);
        text = rest;
    }
    Ok(bytes)
}

/// Decodes one component of a path. Rejects escapes for a slash or NUL.
pub(super) fn unescape_component(text: &[u8]) -> Result<Vec<u8>, EscapeError> {
    let bytes = unescape(text)?;
    match bytes.iter().find(|byte| matches!(byte, 0 | b'/')) {
        Some(0) => Err(EscapeError::Nul),
        Some(_) => Err(EscapeError::Slash),
        None => Ok(bytes),
    }
}

/// Decodes one token.
fn decode(token: &[u8]) -> Result<u8, EscapeError> {
    match token {
        [plain] if *plain != b'\\' => Ok(*plain),
        [b'\\', b'^', letter] => control(*letter),
        [b'\\', b'M', b'-', letter] => Ok(letter | 0x80),
        [b'\\', b'M', b'^', letter] => Ok(control(*letter)? | 0x80),
        [b'\\', b'x', high, low] => hexadecimal(*high, *low),
        [b'\\', digits @ ..] if digits.first().is_some_and(|byte| matches!(byte, b'0'..=b'7')) => {
            let value = digits.iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
            u8::try_from(value).map_err(|_| EscapeError::TooBig)
        }
        [b'\\', letter] => named(*letter),
        _ => Err(EscapeError::Unknown),
    }
}

fn named(letter: u8) -> Result<u8, EscapeError> {
    Ok(match letter {
        b's' => b' ',
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'v' => 11,
        b'f' => 12,
        b'E' => 27,
        b'\\' | b'#' => letter,
        _ => return Err(EscapeError::Unknown),
    })
}

fn control(letter: u8) -> Result<u8, EscapeError> {
    match letter {
        b'?' => Ok(0x7f),
        b'@'..=b'_' => Ok(letter & 0x1f),
        _ => Err(EscapeError::Unknown),
    }
}

fn hexadecimal(high: u8, low: u8) -> Result<u8, EscapeError> {
    let mut bytes = [0];
    super::digest::unhex(&[high, low], &mut bytes).ok_or(EscapeError::Unknown)?;
    Ok(bytes[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        for write in [escape, escape_in_comment, escape_attribute] {
            let mut text = Vec::new();
            write(&all, &mut text);
            assert_eq!(unescape(&text), Ok(all.clone()));
        }
    }

    #[test]
    fn ours_is_octal_but_for_the_backslash() {
        assert_eq!(Escaped(b"a b\\#*\xc3\xa3=").to_string(), r"a\040b\\\043\052\303\243=");
    }

    #[test]
    fn the_escapes_of_every_tool() {
        let check = |text: &str, want: &[u8]| assert_eq!(unescape(text.as_bytes()).unwrap(), want);
        check(r"S\M-C\M-#o", b"S\xc3\xa3o"); // NetBSD
        check(r"\s\t\n\^A\^?\M^@\M^\\M-\\240\#", b" \t\n\x01\x7f\x80\x9c\xdc\xa0#");
        check(r"\303\243\75", b"\xc3\xa3="); // libarchive; two digits
        check(r"\x41\M-/", b"A\xaf"); // go-mtree; a slash inside an escape
        check("\u{e3}", b"\xc3\xa3"); // raw
    }

    #[test]
    fn what_no_tool_writes_is_refused() {
        for text in [r"\", r"\q", r"\x4", r"\M", r"\Mx", r"\^", r"\^a", r"\x4g"] {
            assert_eq!(unescape(text.as_bytes()), Err(EscapeError::Unknown), "{text}");
        }
        assert_eq!(unescape(br"\777"), Err(EscapeError::TooBig));
        assert_eq!(unescape_component(br"a\000"), Err(EscapeError::Nul));
        assert_eq!(unescape_component(br"a\057b"), Err(EscapeError::Slash));
        assert_eq!(unescape_component(br"\x2f"), Err(EscapeError::Slash));
    }
}
