//! The words of a line.

use super::super::escape::Escaped;
use super::super::keyword::Keyword;

/// Splits at blanks. Escapes contain no blank.
pub(super) fn split_words(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// Splits a keyword from its value, if it has one.
pub(super) fn split_keyword(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|byte| *byte == b'=') {
        Some(split) => (&word[..split], Some(&word[split + 1..])),
        None => (word, None),
    }
}

/// The keyword of a word.
pub(super) fn keyword_of(word: &[u8]) -> Option<Keyword> {
    if word.starts_with(b"xattr.") {
        return Some(Keyword::Xattr);
    }
    let (name, text) = split_keyword(word);
    Keyword::of_name(name).filter(|keyword| text.is_some() || keyword.is_bare())
}

/// Text of a manifest for a message: without control characters, and shortened to a line.
pub(super) fn lossy(text: &[u8]) -> String {
    let shown = Escaped(&text[..text.len().min(200)]).to_string();
    // Escapes in a manifest's text are not escaped again.
    shown.replace("\\\\", "\\")
}
