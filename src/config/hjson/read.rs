//! Reads Hjson. Accepts and rejects the same texts as the reference's parser.
//!
//! No crate reads this dialect: single quotes, an object without braces, `//` before a value,
//! unquoted text that includes brackets and comment marks. A table in the tests defines the dialect;
//! the reference confirmed each row.

use super::literal::literal;
use super::note::{Note, Swallowed};
use super::tree::Tree;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Maximal nesting of objects and lists.
const MAX_DEPTH: usize = 64;

/// The text is not Hjson.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at line {line}, column {column}")]
pub struct HjsonError {
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in characters, from 1.
    pub column: usize,
    /// The fault.
    pub fault: Fault,
}

/// A fault of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A NUL byte. The reference takes it for the end of the text.
    #[error("a NUL byte")]
    Nul,
    /// Lists and objects are nested too deeply.
    #[error("nested deeper than {MAX_DEPTH}")]
    Depth,
    /// A key, a colon or a value is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A list, object or string is not closed.
    #[error("the {0} that starts here is not closed")]
    Open(&'static str),
    /// `{}[],:` at the start of an unquoted text.
    #[error("`{0}` can not start {1} (quote it)")]
    Punctuation(char, &'static str),
    /// A blank or punctuation in an unquoted key.
    #[error("`{0}` in an unquoted key (quote the key)")]
    Key(char),
    /// An unquoted text includes the bracket that should have closed its object or list.
    #[error("an unquoted string takes the rest of its line, with the `{0}` in it (quote it)")]
    Swallowed(char),
    /// Text after the end of the root.
    #[error("text after the end")]
    Trailing,
    /// A line break in a quoted text.
    #[error("a line break in a quoted string")]
    LineBreak,
    /// `\q`, `\u12`.
    #[error("unknown escape in a quoted string")]
    Escape,
}

impl Fault {
    /// True if an object or list that was not closed earlier can cause this fault.
    fn is_of_unclosed(self) -> bool {
        matches!(self, Self::Open("object" | "list") | Self::Punctuation('}' | ']', _))
    }
}

/// Reads a whole configuration text. The root is an object; its braces are optional.
///
/// # Errors
/// The position of the first fault, and the fault.
pub fn read(text: &[u8]) -> Result<Tree, HjsonError> {
    let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
    // Skip a byte-order mark: the reference makes it part of the first key.
    let mut reader = Reader {
        text: text.trim_start_matches('\u{feff}'),
        at: 0,
        depth: 0,
        path: Vec::new(),
        notes: Vec::new(),
        mark: None,
    };
    match reader.root() {
        Ok(tree) => Ok(tree.with_notes(reader.notes)),
        Err((at, fault)) => {
            let (at, fault) = reader.cause(at, fault);
            Err(reader.locate(at, fault))
        }
    }
}

/// True if `text`, unquoted and alone on its line, reads as the same text, not as a number or word.
pub(super) fn unquoted_reads_as_text(text: &str) -> bool {
    literal(text).is_none()
}

type Outcome<T> = Result<T, (usize, Fault)>;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Keys that lead to the current value.
    path: Vec<String>,
    notes: Vec<Note>,
    /// The first bracket that an unquoted text includes, and the offset of that text.
    mark: Option<(usize, char)>,
}

impl Reader<'_> {
    /// The likely cause of a fault: a bracket that an unquoted text includes should have closed the object.
    fn cause(&self, at: usize, fault: Fault) -> (usize, Fault) {
        match self.mark {
            Some((start, mark)) if fault.is_of_unclosed() => (start, Fault::Swallowed(mark)),
            _ => (at, fault),
        }
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// The path of the current value: `neigh.bob.calls[0].addr`.
    fn path(&self) -> String {
        self.path.join(".").replace(".[", "[")
    }

    /// Notes a suspicious end of the unquoted text at `start`.
    fn note_swallowed(&mut self, start: usize, text: &str) {
        let Some(what) = Swallowed::find(text) else { return };
        if let Swallowed::Mark(mark @ ('}' | ']')) = what {
            self.mark.get_or_insert((start, mark));
        }
        let (path, line) = (self.path(), self.line(start));
        self.notes.push(Note::Swallowed { path, line, what });
    }

    fn locate(&self, at: usize, fault: Fault) -> HjsonError {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        HjsonError {
            line: self.line(before.len()),
            column: before[start..].chars().count() + 1,
            fault,
        }
    }

    fn root(&mut self) -> Outcome<Tree> {
        if let Some(at) = self.text.find('\0') {
            return Err((at, Fault::Nul));
        }
        self.white();
        let root = match self.peek() {
            Some(b'{' | b'[') => self.value()?,
            _ => self.object(None)?,
        };
        let root = Tree::new(root);
        self.white();
        if self.at < self.text.len() {
            return Err((self.at, Fault::Trailing));
        }
        Ok(root)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Skips `byte` if it is next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips blanks and comments.
    fn white(&mut self) {
        loop {
            while self.peek().is_some_and(|byte| byte <= b' ') {
                self.at += 1;
            }
            let rest = &self.text[self.at..];
            self.at += if rest.starts_with('#') || rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some(comment) = rest.strip_prefix("/*") {
                comment.find("*/").map_or(rest.len(), |end| end + 4)
            } else {
                return;
            };
        }
    }

    fn value(&mut self) -> Outcome<Value> {
        let start = self.at;
        match self.peek() {
            None => Err((start, Fault::Missing("a value"))),
            Some(b'{' | b'[') if self.depth == MAX_DEPTH => Err((start, Fault::Depth)),
            Some(open @ (b'{' | b'[')) => {
                self.at += 1;
                self.depth += 1;
                let value = if open == b'{' { self.object(Some(start)) } else { self.list(start) };
                self.depth -= 1;
                value
            }
            Some(b'\'') if self.rest().starts_with(b"'''") => self.block().map(Value::String),
            Some(b'"' | b'\'') => self.quoted().map(Value::String),
            Some(_) => self.unquoted(),
        }
    }

    /// The members of an object up to its closing brace; without an opening one, up to the end.
    fn object(&mut self, opened: Option<usize>) -> Outcome<Value> {
        let mut map = Map::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            self.white();
            match (self.peek(), opened) {
                (None, Some(start)) => return Err((start, Fault::Open("object"))),
                (None, None) => return Ok(Value::Object(map)),
                (Some(b'}'), Some(_)) => {
                    self.at += 1;
                    return Ok(Value::Object(map));
                }
                _ => {}
            }
            let place = self.at;
            let key = self.key()?;
            self.white();
            if !self.eat(b':') {
                return Err((self.at, Fault::Missing("`:`")));
            }
            self.white();
            self.path.push(key.clone());
            let value = self.value()?;
            if let Some(first) = places.insert(key.clone(), place) {
                let (first, second) = (self.line(first), self.line(place));
                self.notes.push(Note::Twice { path: self.path(), first, second });
            }
            self.path.pop();
            map.insert(key, value);
            self.white();
            self.eat(b',');
        }
    }

    fn list(&mut self, start: usize) -> Outcome<Value> {
        let mut list = Vec::new();
        loop {
            self.white();
            if self.eat(b']') {
                return Ok(Value::Array(list));
            }
            if self.peek().is_none() {
                return Err((start, Fault::Open("list")));
            }
            self.path.push(format!("[{}]", list.len()));
            list.push(self.value()?);
            self.path.pop();
            self.white();
            self.eat(b',');
        }
    }

    fn key(&mut self) -> Outcome<String> {
        if let Some(b'"' | b'\'') = self.peek() {
            return self.quoted();
        }
        let start = self.at;
        let rest = &self.text[start..];
        let len = rest.find(|c: char| c <= ' ' || "{}[],:".contains(c)).unwrap_or(rest.len());
        self.at += len;
        let key = &rest[..len];
        // Only blanks are allowed before the colon.
        let colon = rest[len..].trim_start_matches(|c: char| c <= ' ');
        match rest[len..].chars().next() {
            Some(c) if c <= ' ' && !colon.is_empty() && !colon.starts_with(':') => {
                Err((self.at, Fault::Key(c)))
            }
            Some(c) if c > ' ' && c != ':' => Err((self.at, Fault::Key(c))),
            _ if key.is_empty() => Err((start, Fault::Missing("a key"))),
            _ => Ok(key.to_owned()),
        }
    }

    /// `"…"` or `'…'`.
    fn quoted(&mut self) -> Outcome<String> {
        let start = self.at;
        let quote = self.peek();
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let plain =
                rest.find(['"', '\'', '\\', '\n', '\r']).ok_or((start, Fault::Open("string")))?;
            text.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                found if found == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(b'\n' | b'\r') => return Err((self.at, Fault::LineBreak)),
                other => {
                    text.push(char::from(other.expect("found above")));
                    self.at += 1;
                }
            }
        }
    }

    /// One escape. Does not combine the halves of a surrogate pair, like the reference.
    fn escape(&mut self) -> Outcome<char> {
        let unknown = (self.at, Fault::Escape);
        let escape = *self.rest().get(1).ok_or(unknown)?;
        self.at += 2;
        Ok(match escape {
            b'"' | b'\'' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4).ok_or(unknown)?;
                if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(unknown);
                }
                self.at += 4;
                let code = u32::from_str_radix(digits, 16).map_err(|_| unknown)?;
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(unknown),
        })
    }

    /// `'''…'''`: removes the indentation of the opening quotes from every line.
    fn block(&mut self) -> Outcome<String> {
        let start = self.at;
        let line = self.text[..start].rfind('\n').map_or(0, |end| end + 1);
        let indent = start - line;
        let body = &self.text[start + 3..];
        let end = body.find("'''").ok_or((start, Fault::Open("multi-line string")))?;
        self.at = start + 3 + end + 3;
        let head = body[..end].trim_start_matches(|c: char| c <= ' ' && c != '\n');
        let dedent = |line| {
            let blanks = str::bytes(line).take(indent).take_while(|byte| *byte <= b' ').count();
            &line[blanks..]
        };
        let mut lines: Vec<&str> = head.split('\n').collect();
        lines[1..].iter_mut().for_each(|line| *line = dedent(line));
        if lines[0].is_empty() {
            lines.remove(0);
        }
        let text = lines.join("\n").replace('\r', "");
        Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
    }

    /// Text up to the end of the line; or a number, `true`, `false` or `null` up to a comma, bracket
    /// or comment.
    fn unquoted(&mut self) -> Outcome<Value> {
        let rest = &self.text[self.at..];
        let first = rest.chars().next().unwrap_or('\0');
        if "{}[],:".contains(first) {
            return Err((self.at, Fault::Punctuation(first, "a value")));
        }
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        let stops = line.char_indices().filter(|(at, c)| match c {
            ',' | '}' | ']' | '#' => true,
            '/' => line[at + 1..].starts_with(['/', '*']),
            _ => false,
        });
        for stop in stops.map(|(at, _)| at).chain([line.len()]) {
            if let Some(value) = literal(&line[..stop]) {
                self.at += stop;
                return Ok(value);
            }
        }
        let text = line.trim();
        self.note_swallowed(self.at, text);
        self.at += line.len();
        Ok(Value::String(text.to_owned()))
    }
}
