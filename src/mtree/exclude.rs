//! Patterns of names to exclude, with the syntax of mtree's `-X`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Patterns. A pattern with a slash must match the whole path, any other one the name.
#[derive(Clone, Debug, Default)]
pub struct Excludes {
    names: Vec<Pattern>,
    paths: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    /// The pattern as the user wrote it.
    written: Vec<u8>,
    /// The pattern without a leading `./`.
    pattern: Vec<u8>,
    /// Set when the pattern matches. Clones share it, since each thread has one.
    used: Arc<AtomicBool>,
}

impl Pattern {
    fn new(written: &[u8], pattern: &[u8]) -> Self {
        let used = Arc::default();
        Self { written: written.to_vec(), pattern: pattern.to_vec(), used }
    }

    fn matches(&self, text: &[u8]) -> bool {
        let matches = glob(&self.pattern, text);
        if matches {
            self.used.store(true, Ordering::Relaxed);
        }
        matches
    }
}

impl Excludes {
    /// Adds a pattern: `*` and `?` do not match a slash, `[a-z]` and `[!a]` match one byte, `\`
    /// escapes the next byte. A path may start with `./`.
    pub fn add(&mut self, pattern: &[u8]) {
        match pattern.strip_prefix(b"./").unwrap_or(pattern) {
            path if path.len() < pattern.len() || path.contains(&b'/') => {
                let path = path.strip_prefix(b"/").unwrap_or(path);
                self.paths.push(Pattern::new(pattern, path));
            }
            name => self.names.push(Pattern::new(pattern, name)),
        }
    }

    /// Adds the lines of a pattern file; `#` starts a comment.
    pub fn add_lines(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            if !line.is_empty() && !line.starts_with(b"#") {
                self.add(line);
            }
        }
    }

    /// True if the object `name` in the directory `dir` (such as `a/b`; empty for the root) is
    /// excluded.
    pub fn matches(&self, dir: &[u8], name: &[u8]) -> bool {
        // Tries all patterns: `unused` must not report one because another matches the same name.
        let matching = |patterns: &[Pattern], text: &[u8]| {
            patterns.iter().filter(|pattern| pattern.matches(text)).count()
        };
        let mut matches = matching(&self.names, name);
        if !self.paths.is_empty() {
            let path = if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() };
            matches += matching(&self.paths, &path);
        }
        matches > 0
    }

    /// The patterns that have matched nothing, as the user wrote them.
    pub fn unused(&self) -> impl Iterator<Item = &[u8]> {
        let patterns = self.names.iter().chain(&self.paths);
        let unused = patterns.filter(|pattern| !pattern.used.load(Ordering::Relaxed));
        unused.map(|pattern| &*pattern.written)
    }
}

/// Matches a pattern. Takes at most the product of both lengths: after a mismatch, only the last
/// `*` is extended by one byte.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() || p < pattern.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
            continue;
        }
        if let Some(byte) = text.get(t)
            && let Some(length) = one(&pattern[p..], *byte)
        {
            (p, t) = (p + length, t + 1);
            continue;
        }
        match star {
            Some((at, from)) if text.get(from).is_some_and(|byte| *byte != b'/') => {
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
            _ => return false,
        }
    }
    true
}

/// Length of the first element of `pattern`, if it matches `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => (byte != b'/').then_some(1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [b'[', class @ ..] => match bracket(class, byte) {
            Some((length, matches)) => (matches && byte != b'/').then_some(1 + length),
            None => (byte == b'[').then_some(1),
        },
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// Length of the class up to its `]`, and whether it contains `byte`.
fn bracket(class: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(class.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let (first, mut found) = (at, false);
    loop {
        let low = *class.get(at)?;
        if low == b']' && at > first {
            return Some((at + 1, found != negated));
        }
        match class.get(at + 1..at + 3) {
            Some([b'-', high]) if *high != b']' => {
                found |= (low..=*high).contains(&byte);
                at += 3;
            }
            _ => {
                found |= low == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_the_shell() {
        let matching = [
            ("*.o", "a.o"),
            ("a*b*c", "aXbYbZc"),
            ("?", "x"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("\\*", "*"),
            ("[", "["),
            ("a/*", "a/b"),
            ("", ""),
        ];
        for (pattern, text) in matching {
            assert!(glob(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        let not = [("*.o", "a.c"), ("?", ""), ("a/*", "a/b/c"), ("[a-c]x", "dx"), ("a", "ab")];
        for (pattern, text) in not {
            assert!(!glob(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        // A pattern on which a backtracking matcher would take years.
        assert!(!glob(&[&b"a*".repeat(30)[..], b"b"].concat(), &[b'a'; 1000]));
    }

    #[test]
    fn a_pattern_that_matched_nothing_is_known() {
        let mut excludes = Excludes::default();
        excludes.add_lines(b"*.tmp\na.*\nsub/\n./d/sub\n./e\n");
        let shared = excludes.clone();
        assert!(shared.matches(b"", b"a.tmp") && shared.matches(b"d", b"sub"));
        assert!(excludes.unused().eq([&b"sub/"[..], b"./e"]));
    }

    #[test]
    fn a_slash_makes_a_pattern_one_of_paths() {
        let mut excludes = Excludes::default();
        excludes.add_lines(b"# scratch\n*.tmp\n./d/sub\ne/x\n");
        let matches = |dir: &str, name: &str| excludes.matches(dir.as_bytes(), name.as_bytes());
        assert!(matches("a/b", "x.tmp") && matches("d", "sub") && matches("e", "x"));
        assert!(!matches("", "sub") && !matches("a/d", "sub") && !matches("", "x"));
    }
}
