//! Makes text from peers safe for a terminal and a log.

/// Replaces each control character with `\n`, `\t`, `\x1b` or `\u{202e}`.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if c.is_ascii_control() => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() || reorders(c) => safe.push_str(&c.escape_unicode().to_string()),
            c => safe.push(c),
        }
    }
    safe
}

/// True if the character changes the direction of text, or breaks the line.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
