//! The lines of a manifest: joins continuations, recognises comments, limits the length.

use super::escape::token_length;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read};

/// The UTF-8 byte order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a line cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("longer than {0} bytes")]
    TooLong(usize),
}

/// The kind of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// A comment; [`Lines::text`] has the text after the `#`.
    Comment,
    /// An entry or command; [`Lines::text`] has its words without a trailing comment.
    Words,
}

/// Reads lines.
pub(super) struct Lines<R> {
    input: R,
    limit: usize,
    physical: Vec<u8>,
    text: Vec<u8>,
    /// Number of physical lines read.
    number: u64,
    /// Number of the physical line at which `text` starts.
    first: u64,
    sum: Sha256,
    sum_before: Sha256,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        let (physical, text) = (Vec::new(), Vec::new());
        let (sum, sum_before) = (Sha256::new(), Sha256::new());
        Self { input, limit, physical, text, number: 0, first: 0, sum, sum_before }
    }

    /// Number of the line that was read last or failed.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of everything before the last line. That line must be a single physical line.
    pub(super) fn sum_above(&self) -> [u8; 32] {
        self.sum_before.clone().finalize().into()
    }

    /// Reads the next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Line>, LineError> {
        self.text.clear();
        loop {
            self.first = self.number + 1;
            if !self.read_physical()? {
                return Ok(None);
            }
            let body = trim_start(&self.physical);
            if let [b'#', comment @ ..] = body {
                self.text.extend_from_slice(comment);
                return Ok(Some(Line::Comment));
            }
            if !body.is_empty() {
                self.join()?;
                return Ok(Some(Line::Words));
            }
        }
    }

    /// Reads a physical line and its continuations into `text`.
    fn join(&mut self) -> Result<(), LineError> {
        loop {
            let after_blank = matches!(self.text.last(), None | Some(b' ' | b'\t'));
            let (end, goes_on) = content(&self.physical, after_blank);
            if self.text.len() + end > self.limit {
                return Err(LineError::TooLong(self.limit));
            }
            self.text.extend_from_slice(&self.physical[..end]);
            if !goes_on || !self.read_physical()? {
                return Ok(());
            }
        }
    }

    /// Reads a physical line. Drops the newline and a carriage return before it.
    fn read_physical(&mut self) -> Result<bool, LineError> {
        self.physical.clear();
        let limit = self.limit as u64 + 2;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.physical)? == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.number == 1 && self.physical.starts_with(MARK) {
            // Some editors add a byte order mark. It is not part of the manifest, so not of its
            // checksum.
            self.physical.drain(..MARK.len());
        }
        if self.physical.starts_with(b"#:end") {
            self.sum_before = self.sum.clone();
        }
        self.sum.update(&self.physical);
        if self.physical.ends_with(b"\n") {
            self.physical.pop();
            if self.physical.ends_with(b"\r") {
                self.physical.pop();
            }
        }
        if self.physical.len() > self.limit {
            return Err(LineError::TooLong(self.limit));
        }
        Ok(true)
    }
}

fn trim_start(line: &[u8]) -> &[u8] {
    let blank = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &line[blank..]
}

/// The length of a physical line without its comment, and whether a trailing backslash continues
/// it.
///
/// A `#` at the start of a word starts a comment, which is never continued. Within a word it is an
/// ordinary character: the mtree of old FreeBSD writes it unescaped in link targets.
fn content(line: &[u8], after_blank: bool) -> (usize, bool) {
    if memchr::memchr2(b'\\', b'#', line).is_none() {
        return (line.len(), false);
    }
    let mut starts_word = after_blank;
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        match rest[0] {
            b'\\' if rest.len() == 1 => return (at, true),
            b'#' if starts_word => return (at, false),
            byte => starts_word = matches!(byte, b' ' | b'\t'),
        }
        at += token_length(rest);
    }
    (at, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, Line, String)> {
        let mut lines = Lines::new(text, 100);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let text = String::from_utf8_lossy(lines.text()).into_owned();
            all.push((lines.first(), line, text));
        }
        all
    }

    fn check(text: &[u8], want: &[(u64, Line, &str)]) {
        let want: Vec<_> =
            want.iter().map(|(number, line, text)| (*number, *line, (*text).to_owned())).collect();
        assert_eq!(lines(text), want);
    }

    #[test]
    fn lines_are_joined_without_a_blank() {
        check(b"\nab\\\ncd \\\n  ef\r\nx", &[(2, Line::Words, "abcd   ef"), (5, Line::Words, "x")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        check(b"\xEF\xBB\xBF#mtree\na", &[(1, Line::Comment, "mtree"), (2, Line::Words, "a")]);
        check(b"\xEF\xBB\xBF", &[]);
    }

    #[test]
    fn a_comment_never_continues() {
        check(
            b"# a\\\nb #c\\\nd#e \\#f",
            &[(1, Line::Comment, " a\\"), (2, Line::Words, "b "), (3, Line::Words, "d#e \\#f")],
        );
    }

    #[test]
    fn a_backslash_that_belongs_to_an_escape_continues_nothing() {
        // NetBSD's encodings of 0xdc, 0x1c and 0x9c; then a backslash.
        check(
            b"a\\M-\\\nb\\^\\\nc\\M^\\\nd\\\\\ne",
            &[
                (1, Line::Words, "a\\M-\\"),
                (2, Line::Words, "b\\^\\"),
                (3, Line::Words, "c\\M^\\"),
                (4, Line::Words, "d\\\\"),
                (5, Line::Words, "e"),
            ],
        );
        check(b"S\\M-C\\M-#o \\\n size=1", &[(1, Line::Words, "S\\M-C\\M-#o  size=1")]);
    }

    #[test]
    fn a_line_is_bounded_however_it_is_made() {
        for text in [vec![b'x'; 1000], b"ab\\\n".repeat(1000), b"#".repeat(1000)] {
            let mut lines = Lines::new(&text[..], 100);
            assert!(matches!(lines.next(), Err(LineError::TooLong(100))));
            assert_eq!(lines.first(), 1);
        }
    }

    #[test]
    fn the_sum_is_of_all_that_is_above() {
        let mut lines = Lines::new(&b"a\nb\n#:end\n"[..], 100);
        while lines.next().unwrap() != Some(Line::Comment) {}
        assert_eq!(lines.sum_above(), <[u8; 32]>::from(Sha256::digest(b"a\nb\n")));
    }
}
