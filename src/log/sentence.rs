//! Events as one line for people: `2026-11-22T22:09:36Z ERROR Tossing …: exit status 3`.

use super::{Entry, Level};
use jiff::{Timestamp, Unit};

/// The line, control characters escaped: a name chosen by a peer neither breaks the line nor
/// drives the terminal.
pub fn write(entry: &Entry) -> String {
    let when = seconds(entry.when);
    let message = escape(&entry.record.message);
    match &entry.level {
        Level::Error(error) => format!("{when} ERROR {message}: {}", escape(error)),
        Level::Info | Level::Debug => format!("{when} {message}"),
    }
}

/// A time as sentences begin: RFC 3339, UTC, whole seconds.
pub fn seconds(when: Timestamp) -> String {
    let round = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    when.round(round).unwrap_or(when).to_string()
}

/// The text with each control character as `\n`, `\t`, `\x1b` or `\u{202e}`.
pub fn escape(text: &str) -> String {
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

/// Whether the character changes the direction of the text around it, or breaks the line.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Record;

    fn entry(level: Level, message: &str) -> Entry {
        let when = "2026-11-22T22:09:36.987654321Z".parse().unwrap();
        Entry { when, level, record: Record::new("rx", message) }
    }

    #[test]
    fn lines_are_the_references() {
        assert_eq!(
            write(&entry(Level::Info, "Got file f.txt (5 B) from alice")),
            "2026-11-22T22:09:36Z Got file f.txt (5 B) from alice"
        );
        assert_eq!(
            write(&entry(Level::Error("exit status 3".into()), "Tossing: handling")),
            "2026-11-22T22:09:36Z ERROR Tossing: handling: exit status 3"
        );
    }

    #[test]
    fn w9_a_name_can_not_drive_the_terminal() {
        let line = write(&entry(Level::Info, "Got file \x1b[2J\nx\u{9b}\u{202e}y (5 B)"));
        assert_eq!(line, r"2026-11-22T22:09:36Z Got file \x1b[2J\nx\u{9b}\u{202e}y (5 B)");
    }
}
