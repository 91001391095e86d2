//! Names of datasets and snapshots, as ZFS allows them.

use std::borrow::Cow;
use std::fmt;

/// Longest name that ZFS accepts, in bytes.
const LONGEST: usize = 255;
/// Deepest nesting that ZFS accepts.
const DEEPEST: usize = 50;

/// A dataset's full name: a pool, then components of `[A-Za-z0-9_.: -]` separated by `/`. A pool
/// begins with a letter, a digit or `_`, so `zfs` never parses the name as an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dataset(String);

/// A dataset's name relative to another one. Never an argument of `zfs` by itself, since it may
/// begin with `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Below(String);

/// The text is not a legal name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("illegal {what} name {text:?}")]
pub struct NameError {
    /// "dataset" or "snapshot".
    pub what: &'static str,
    /// The illegal name.
    pub text: String,
}

impl Dataset {
    /// Checks a full name.
    ///
    /// # Errors
    /// If a component is empty, `.` or `..`, or contains a character that ZFS does not allow; if
    /// the pool begins with an illegal character; if the name is too long or too deep.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let is_first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if text.as_bytes().first().is_some_and(is_first) && is_path(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError { what: "dataset", text: text.to_owned() })
    }

    /// The dataset `path` below this one.
    ///
    /// # Errors
    /// If the joined name is too long or too deep.
    pub fn join(&self, path: &Below) -> Result<Self, NameError> {
        Self::parse(&format!("{self}/{path}"))
    }

    /// The name without its last component; `None` for a pool.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The last component.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The name without its first component; `None` for a pool.
    pub fn without_pool(&self) -> Option<Below> {
        self.0.split_once('/').map(|(_, rest)| Below(rest.to_owned()))
    }

    /// The name relative to `ancestor`; `None` if it is not below it.
    pub fn below(&self, ancestor: &Self) -> Option<Below> {
        cut(&self.0, &ancestor.0)
    }

    /// The number of components.
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Below {
    /// Checks a relative name.
    ///
    /// # Errors
    /// As for a [`Dataset`], but the first component may begin with any legal character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if is_path(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError { what: "dataset", text: text.to_owned() })
    }

    /// The name relative to `ancestor`; `None` if it is not below it.
    pub fn below(&self, ancestor: &Self) -> Option<Self> {
        cut(&self.0, &ancestor.0)
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn cut(name: &str, ancestor: &str) -> Option<Below> {
    let rest = name.strip_prefix(ancestor)?.strip_prefix('/')?;
    Some(Below(rest.to_owned()))
}

fn is_path(text: &str) -> bool {
    let components = text.split('/');
    text.len() <= LONGEST
        && components.clone().count() <= DEEPEST
        && components.clone().all(is_component)
}

/// What all versions of `zfs` allow, except `.` and `..`, which only old versions allow.
fn is_component(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:- ".contains(&byte);
    !text.is_empty() && !matches!(text, "." | "..") && text.bytes().all(is_letter)
}

/// The dataset into which a stream with this snapshot is received first (see `receive/sibling.rs`).
/// A sender can use the same name, but then blocks only its own streams.
pub(in crate::zfs) fn sibling(target: &Dataset, guid: u64) -> Result<Dataset, NameError> {
    Dataset::parse(&format!("{target}:packmule-{guid:016x}"))
}

/// Checks the part of a snapshot's name after its `@`.
///
/// # Errors
/// If it is not a legal component, or is too long.
pub fn check_snapshot(text: &str) -> Result<(), NameError> {
    if text.len() <= LONGEST && is_component(text) {
        return Ok(());
    }
    Err(NameError { what: "snapshot", text: text.to_owned() })
}

/// Quotes a name so that a person can copy the command into a shell.
pub fn word(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-/@#%=,+".contains(&byte);
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => name.into(),
        false => format!("'{}'", name.replace('\'', "'\\''")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fool_somebody_are_refused() {
        for text in [
            "", "/", "a/", "/a", "a//b", ".", "..", "a/..", "a/./b", "a@b", "a#b", "a%recv", "a\0",
            "a\tb", "a\nb", "é",
        ] {
            assert!(Dataset::parse(text).is_err(), "{text:?}");
            assert!(Below::parse(text).is_err(), "{text:?}");
            assert!(check_snapshot(text).is_err(), "{text:?}");
        }
        assert!(Dataset::parse(&"a".repeat(256)).is_err());
        assert!(Dataset::parse(&["a"; 51].join("/")).is_err());
        for name in [".system", "-dash", "-rf", "my docs", " a ", "a:b", "...", "_x", "1"] {
            assert!(Dataset::parse(&format!("tank/{name}")).is_ok(), "{name:?}");
            assert!(Below::parse(name).is_ok() && check_snapshot(name).is_ok(), "{name:?}");
        }
        assert!(check_snapshot("__simplesnap_main_2026-01-01T00:00:00__").is_ok());
    }

    #[test]
    fn no_whole_name_is_an_option_of_zfs() {
        for text in ["-rf", "-r/home", "--", ".system", " tank", ":x"] {
            assert!(Dataset::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        assert_eq!(word("tank/-a:b@c"), "tank/-a:b@c");
        assert_eq!(word("tank/my docs"), "'tank/my docs'");
        assert_eq!(word("a'b"), "'a'\\''b'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_path_is_joined_and_cut() {
        let root = Dataset::parse("tank/backups/laptop").unwrap();
        let path = Below::parse("home/anna").unwrap();
        let whole = root.join(&path).unwrap();
        assert_eq!(whole.as_str(), "tank/backups/laptop/home/anna");
        assert_eq!(whole.below(&root), Some(path));
        assert_eq!(whole.below(&Dataset::parse("tank/backups/lap").unwrap()), None);
        assert_eq!(Dataset::parse("tank").unwrap().parent(), None);
    }
}
