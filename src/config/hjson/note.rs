//! Notes on valid Hjson that is probably a mistake. A note shows no value: it may be a secret.

use std::fmt;

/// A probable mistake, with the path of its key and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// An object has a key twice: only the last one counts.
    Twice {
        /// The key's path, with dots.
        path: String,
        /// Line of the first one.
        first: usize,
        /// Line of the next one.
        second: usize,
    },
    /// An unquoted text includes a comment or a bracket, probably by mistake.
    Swallowed {
        /// The key's path, with dots.
        path: String,
        /// Its line.
        line: usize,
        /// The included part.
        what: Swallowed,
    },
}

/// A part that an unquoted text includes by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swallowed {
    /// `# …`, `// …` or `/* …` after a blank.
    Comment,
    /// A comma, brace or bracket at its end.
    Mark(char),
}

impl Swallowed {
    /// The part that an unquoted `text` includes by mistake, if any.
    pub(super) fn find(text: &str) -> Option<Self> {
        let starts = |rest: &str| ["#", "//", "/*"].iter().any(|mark| rest.starts_with(mark));
        let blank_before = |(at, c): (usize, char)| c <= ' ' && starts(text[at..].trim_start());
        if text.char_indices().any(blank_before) {
            return Some(Self::Comment);
        }
        let last = text.chars().next_back()?;
        let opening = match last {
            ',' => return Some(Self::Mark(last)),
            '}' => '{',
            ']' => '[',
            _ => return None,
        };
        // A bracket that the text itself opened, as in `${HOME}`, is no mistake.
        let count = |wanted: char| text.chars().filter(|c| *c == wanted).count();
        (count(last) > count(opening)).then_some(Self::Mark(last))
    }
}

impl Note {
    /// True if the note reports that the key at this path occurs twice.
    pub fn is_of(&self, key: &str) -> bool {
        matches!(self, Self::Twice { path, .. } if path == key)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { path, first, second } => write!(
                f,
                "{path} is there twice, in line {first} and in line {second}, and only the last \
                 one counts"
            ),
            Self::Swallowed { path, line, what } => {
                write!(f, "{path} in line {line} includes ")?;
                match what {
                    Swallowed::Comment => f.write_str("the comment behind it")?,
                    Swallowed::Mark(mark) => write!(f, "the `{mark}` at its end")?,
                }
                f.write_str(" (an unquoted string takes the rest of its line; quote it)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_no_part_of_a_text_is_found() {
        let check = |text: &str, want| assert_eq!(Swallowed::find(text), want, "{text}");
        check("/in # from bob", Some(Swallowed::Comment));
        check("/in // from bob", Some(Swallowed::Comment));
        check("/in\t/* from bob */", Some(Swallowed::Comment));
        check("/in,", Some(Swallowed::Mark(',')));
        check("X }", Some(Swallowed::Mark('}')));
        check("X]", Some(Swallowed::Mark(']')));
        for meant in
            ["/in", "*/5 * * * *", "http://x", "a#b", "|ssh ${HOST}", "*/1 0 1 * *", "", "[a]"]
        {
            check(meant, None);
        }
    }
}
