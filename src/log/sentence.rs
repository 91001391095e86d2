//! Events as lines for people: `2026-11-22T22:09:36Z ERROR Tossing …: exit status 3`.

use super::recfile::Fields;
use super::record::{Entry, Level};
use crate::display::escape;
use jiff::{Timestamp, Unit};

/// The line, as [`write()`] makes it.
impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&write(self))
    }
}

/// The line, with control characters escaped: a name that a peer chose can neither break the line
/// nor control the terminal.
pub fn write(entry: &Entry) -> String {
    let when = seconds(entry.when);
    let message = escape(&entry.record.message);
    match &entry.level {
        Level::Error(error) => {
            let output = entry.record.fields().find(|(name, _)| *name == "Output");
            let said = output.map(|(_, output)| last_lines(output)).unwrap_or_default();
            format!("{when} ERROR {message}: {}{said}", escape(error))
        }
        Level::Info | Level::Debug => format!("{when} {message}"),
    }
}

/// The last lines of a handler's output, to be appended to its error.
pub fn last_lines(output: &str) -> String {
    const LINES: usize = 3;
    const CHARACTERS: usize = 200;
    let lines: Vec<_> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let shown = last.iter().map(|line| escape(&line.chars().take(CHARACTERS).collect::<String>()));
    match shown.collect::<Vec<_>>().join(" | ") {
        none if none.is_empty() => none,
        some => format!(": {some}"),
    }
}

/// A time in the format of sentences: RFC 3339, UTC, whole seconds.
pub fn seconds(when: Timestamp) -> String {
    let round = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    when.round(round).unwrap_or(when).to_string()
}

/// A record from a log file, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Humanized {
    /// Its sentence. It keeps its line breaks; other control characters are escaped.
    Sentence(String),
    /// The record has no valid time; the text says why.
    BadTime(String),
}

/// The sentence of a record, with the time in the record's own zone and without a fraction.
pub fn humanize(record: &Fields) -> Humanized {
    let when = record.last("When").unwrap_or_default();
    let Some(when) = own_zone(when) else {
        return Humanized::BadTime(format!(
            "parsing time {when:?} as \"2006-01-02T15:04:05.999999999Z07:00\": \
             cannot parse {when:?} as \"2006\""
        ));
    };
    let lines = |text: &str| text.split('\n').map(escape).collect::<Vec<_>>().join("\n");
    let message = lines(record.last("Msg").unwrap_or_default());
    Humanized::Sentence(match record.last("Err").map(lines) {
        Some(error) => format!("{when} ERROR {message}: {error}"),
        None => format!("{when} {message}"),
    })
}

/// The time without its fraction.
fn own_zone(when: &str) -> Option<String> {
    when.parse::<Timestamp>().ok()?;
    let (time, rest) = when.split_at_checked("2006-01-02T15:04:05".len())?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    Some(format!("{time}{}", if zone == "+00:00" { "Z" } else { zone }))
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
    fn the_last_lines_of_a_handler_stand_with_its_error() {
        let mut failed = entry(Level::Error("exit status 3".into()), "Tossing: handling");
        failed.record = failed.record.field("Output", "one\ntwo\n\nthree\x1b\nfour\n");
        let want = "ERROR Tossing: handling: exit status 3: two | three\\x1b | four";
        assert!(write(&failed).ends_with(want), "{}", write(&failed));
    }

    #[test]
    fn times_keep_their_zone_and_lose_their_fraction() {
        for (when, want) in [
            ("2020-01-02T03:04:05.123+03:00", Some("2020-01-02T03:04:05+03:00")),
            ("2020-01-02T03:04:05.123456789Z", Some("2020-01-02T03:04:05Z")),
            ("2020-01-02T03:04:05Z", Some("2020-01-02T03:04:05Z")),
            ("2020-01-02T03:04:05+00:00", Some("2020-01-02T03:04:05Z")),
            ("2020-01-02", None),
            ("junk", None),
            ("", None),
        ] {
            assert_eq!(own_zone(when).as_deref(), want, "{when}");
        }
    }

    #[test]
    fn w9_a_name_can_not_drive_the_terminal() {
        let line = write(&entry(Level::Info, "Got file \x1b[2J\nx\u{9b}\u{202e}y (5 B)"));
        assert_eq!(line, r"2026-11-22T22:09:36Z Got file \x1b[2J\nx\u{9b}\u{202e}y (5 B)");
    }
}
