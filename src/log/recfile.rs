//! The text of records: fields `Name: value`, with line breaks in a value written as lines `+ `.
//!
//! Each record begins with an empty line, as in the reference. GNU recutils read this format.

use super::record::{Entry, Level};
use crate::display::escape;
use std::io::{self, BufRead};

/// The text of one record, beginning with the empty line.
///
/// A line break in a value becomes a continuation line, so a hostile name cannot forge a record.
/// Other control characters are escaped, so they never reach a terminal.
pub fn write(entry: &Entry) -> String {
    let mut text = String::with_capacity(512);
    text.push('\n');
    field(&mut text, "When", &entry.when.to_string());
    match &entry.level {
        Level::Debug => field(&mut text, "Debug", "true"),
        Level::Info => {}
        Level::Error(error) => field(&mut text, "Err", error),
    }
    field(&mut text, "Who", entry.record.who);
    for (name, value) in &entry.record.fields {
        field(&mut text, name, value);
    }
    field(&mut text, "Msg", &entry.record.message);
    text
}

fn field(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    let mut lines = value.split('\n').map(escape);
    text.push_str(&lines.next().unwrap_or_default());
    for line in lines {
        text.push_str("\n+ ");
        text.push_str(&line);
    }
    text.push('\n');
}

/// A record that was read: its fields in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The value of a field; the last one if the name repeats.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Why a text is not a recfile.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line that is neither a field, a continuation, a comment nor empty.
    #[error("invalid field format")]
    Field,
    /// A line or a record is too long.
    #[error("record is longer than {MAX_RECORD} bytes")]
    TooLong,
}

/// Longest record that is read.
pub const MAX_RECORD: usize = 16 << 20;

/// Reads records one after the other.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self { input }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// [`ReadError::Field`] for the first line that is invalid.
    pub fn record(&mut self) -> Result<Option<Fields>, ReadError> {
        let mut fields = Fields::default();
        let mut left = MAX_RECORD;
        while let Some(line) = self.line(&mut left)? {
            if line.is_empty() {
                if !fields.0.is_empty() {
                    break;
                }
            } else if let Some(rest) = line.strip_prefix('+') {
                let (_, value) = fields.0.last_mut().ok_or(ReadError::Field)?;
                value.push('\n');
                value.push_str(rest.strip_prefix(' ').unwrap_or(rest));
            } else if !line.starts_with('#') {
                let (name, value) = line.split_once(':').ok_or(ReadError::Field)?;
                let name = name.trim_matches([' ', '\t']);
                if !is_name(name) {
                    return Err(ReadError::Field);
                }
                let value = value.trim_start_matches([' ', '\t']);
                fields.0.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok((!fields.0.is_empty()).then_some(fields))
    }

    /// A line without its end; `None` at the end of the input. Subtracts its length from `left`,
    /// the limit in bytes.
    fn line(&mut self, left: &mut usize) -> Result<Option<String>, ReadError> {
        let mut line = Vec::new();
        let limit = *left as u64 + 1;
        if io::Read::take(&mut self.input, limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        line.pop_if(|last| *last == b'\n');
        *left = left.checked_sub(line.len()).ok_or(ReadError::TooLong)?;
        line.pop_if(|last| *last == b'\r');
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

/// As in GNU recutils: letters, digits and `_`; the first is a letter or `%`.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'%')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Record;

    fn entry(record: Record) -> Entry {
        let when = "2026-11-22T22:09:36.98765432Z".parse().unwrap();
        Entry { when, level: Level::Info, record }
    }

    fn read(text: &str) -> Result<Vec<Fields>, ReadError> {
        let mut reader = Reader::new(text.as_bytes());
        std::iter::from_fn(|| reader.record().transpose()).collect()
    }

    #[test]
    fn text_is_the_references() {
        let record =
            Record::new("rx-handle", "Tossing exec").field("Nice", 96).field("Output", "a\n\nb");
        assert_eq!(
            write(&entry(record)),
            "\nWhen: 2026-11-22T22:09:36.98765432Z\nWho: rx-handle\nNice: 96\n\
             Output: a\n+ \n+ b\nMsg: Tossing exec\n"
        );
    }

    #[test]
    fn whole_seconds_have_no_fraction() {
        let mut entry = entry(Record::new("rm", "m"));
        entry.when = "2026-11-22T22:09:36Z".parse().unwrap();
        assert!(write(&entry).starts_with("\nWhen: 2026-11-22T22:09:36Z\n"));
    }

    #[test]
    fn w9_a_name_can_not_forge_a_record() {
        let name = "x\n\nWhen: 2020-01-01T00:00:00Z\nWho: rx\nMsg: Forged entry";
        let record = Record::new("rx", format!("Got file {name}")).field("Dst", name);
        let records = read(&write(&entry(record))).unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].last("Dst"), Some(name));
        assert_eq!(records[0].last("When"), Some("2026-11-22T22:09:36.98765432Z"));
    }

    #[test]
    fn comments_repeats_and_blank_lines_are_read() {
        let records = read("\n# c\nA: 1\n\n\nA: 2\r\nA: 3\n+x\n+ y\nB:\n").unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].last("A"), Some("1"));
        assert_eq!(records[1].last("A"), Some("3\nx\ny"));
        assert_eq!(records[1].last("B"), Some(""));
    }

    #[test]
    fn other_lines_are_refused() {
        assert!(matches!(read("A: 1\njunk\n"), Err(ReadError::Field)));
        for text in ["+ x\n", "A b: x\n", "9: x\n", ": x\n", "A-B: x\n"] {
            assert!(matches!(read(text), Err(ReadError::Field)), "{text}");
        }
    }

    #[test]
    fn a_record_is_limited_by_its_bytes_whatever_they_are() {
        let field = |len: usize| [&b"A:"[..], &vec![0xFF; len - 2], b"\n"].concat();
        let read = |bytes: &[u8]| Reader::new(bytes).record().map(|record| record.is_some());
        let half = field(MAX_RECORD / 2);
        assert!(matches!(read(&[&half[..], &half].concat()), Ok(true)));
        let longer = [&half[..], &field(MAX_RECORD / 2 + 1)].concat();
        assert!(matches!(read(&longer), Err(ReadError::TooLong)));
        assert!(matches!(read(&[&half[..], &half, b"B:\n"].concat()), Err(ReadError::TooLong)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end_or_refused(text in "[AZ9%_:+# \\t\\r\\n\u{e9}]{0,60}") {
            for record in read(&text).unwrap_or_default() {
                proptest::prop_assert!(!record.0.is_empty());
                proptest::prop_assert!(record.0.iter().all(|(name, _)| is_name(name)));
            }
        }

        #[test]
        fn what_is_written_reads_back(value in "(?s).{0,40}") {
            let text = write(&entry(Record::new("rx", "m").field("Dst", &value)));
            let records = read(&text).unwrap();
            proptest::prop_assert_eq!(records.len(), 1);
            // Readers drop blanks before a value, like the reference's.
            let kept = value.split('\n').map(escape).collect::<Vec<_>>().join("\n");
            let kept = kept.trim_start_matches(' ');
            proptest::prop_assert_eq!(records[0].last("Dst"), Some(kept));
        }
    }
}
