//! Names of datasets and snapshots, as ZFS allows them.

use std::borrow::Cow;
use std::fmt;

/// Longest name ZFS takes, in bytes.
const LONGEST: usize = 255;
/// Deepest nesting ZFS takes.
const DEEPEST: usize = 50;

/// A dataset's whole name: a pool, then components of `[A-Za-z0-9_.: -]` with `/` between. A pool
/// begins with a letter, a digit or `_`, so no `zfs` takes the name for an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dataset(String);

/// A dataset's name below another one. Alone it is never an argument of `zfs`: `-dash` is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Below(String);

/// A text that is not a name, or not one that is let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("illegal {what} name {text:?}")]
pub struct NameError {
    /// Dataset or snapshot.
    pub what: &'static str,
    /// The text.
    pub text: String,
}

impl Dataset {
    /// Checks a name.
    ///
    /// # Errors
    /// When a component is empty, `.` or `..`, or holds a letter that ZFS does not allow, the pool
    /// begins with another letter than it may, or the whole is too long or too deep.
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
    /// When the whole is too long or too deep.
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

    /// The name below `ancestor`; `None` when it is not below it.
    pub fn below(&self, ancestor: &Self) -> Option<Below> {
        cut(&self.0, &ancestor.0)
    }

    /// How many components there are.
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Below {
    /// Checks a name.
    ///
    /// # Errors
    /// As for a [`Dataset`], but it may begin with whatever a component may.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if is_path(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError { what: "dataset", text: text.to_owned() })
    }

    /// The name below `ancestor`; `None` when it is not below it.
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

/// What `zfs` of all versions allows, but `.` and `..`, which only old ones do.
fn is_component(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:- ".contains(&byte);
    !text.is_empty() && !matches!(text, "." | "..") && text.bytes().all(is_letter)
}

/// Where the stream with this snapshot is received. A sender may use such a name too, but only
/// gets in its own way with it.
pub(in crate::zfs) fn beside(target: &Dataset, guid: u64) -> Result<Dataset, NameError> {
    Dataset::parse(&format!("{target}:packmule-{guid:016x}"))
}

/// Checks the part of a snapshot's name after its `@`.
///
/// # Errors
/// When it is no component of a name, or too long.
pub fn check_snapshot(text: &str) -> Result<(), NameError> {
    if text.len() <= LONGEST && is_component(text) {
        return Ok(());
    }
    Err(NameError { what: "snapshot", text: text.to_owned() })
}

/// A name as a word of a command that a person may copy into a shell.
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
