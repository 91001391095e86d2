//! Names of datasets and snapshots, in the letters that fool nobody.

use std::fmt;

/// Longest name ZFS takes, in bytes.
const LONGEST: usize = 255;
/// Deepest nesting ZFS takes.
const DEEPEST: usize = 50;

/// A dataset's whole name: components of `[A-Za-z0-9_][A-Za-z0-9_.:-]*` with `/` between.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dataset(String);

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
    /// When a component is empty, starts with another letter than allowed or holds one, or the
    /// whole is too long or too deep.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let components = text.split('/');
        if text.len() <= LONGEST
            && components.clone().count() <= DEEPEST
            && components.clone().all(is_component)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError { what: "dataset", text: text.to_owned() })
    }

    /// The dataset `path` below this one.
    ///
    /// # Errors
    /// When the whole is too long or too deep.
    pub fn join(&self, path: &Self) -> Result<Self, NameError> {
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
    pub fn without_pool(&self) -> Option<Self> {
        self.0.split_once('/').map(|(_, rest)| Self(rest.to_owned()))
    }

    /// The name below `ancestor`; `None` when it is not below it.
    pub fn below(&self, ancestor: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&ancestor.0)?.strip_prefix('/')?;
        Some(Self(rest.to_owned()))
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

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_component(text: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.as_bytes().first().is_some_and(first) && text.bytes().all(is_letter)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)
}

/// Checks the part of a snapshot's name after its `@`.
///
/// # Errors
/// When it is empty, too long, or holds a letter that is not let through.
pub fn check_snapshot(text: &str) -> Result<(), NameError> {
    if !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(is_letter)
        && is_component(text)
    {
        return Ok(());
    }
    Err(NameError { what: "snapshot", text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fool_somebody_are_refused() {
        for text in [
            "", "/", "a/", "/a", "a//b", ".", "..", "a/..", "-rf", "a b", "a@b", "a#b", "a%recv",
            "a\0", "é",
        ] {
            assert!(Dataset::parse(text).is_err(), "{text:?}");
            assert!(check_snapshot(text).is_err(), "{text:?}");
        }
        assert!(Dataset::parse(&"a".repeat(256)).is_err());
        assert!(Dataset::parse(&["a"; 51].join("/")).is_err());
        assert!(Dataset::parse("tank/home:anna_1.x-y").is_ok());
        assert!(check_snapshot("__simplesnap_main_2026-01-01T00:00:00__").is_ok());
    }

    #[test]
    fn a_path_is_joined_and_cut() {
        let root = Dataset::parse("tank/backups/laptop").unwrap();
        let path = Dataset::parse("home/anna").unwrap();
        let whole = root.join(&path).unwrap();
        assert_eq!(whole.as_str(), "tank/backups/laptop/home/anna");
        assert_eq!(whole.below(&root), Some(path));
        assert_eq!(whole.below(&Dataset::parse("tank/backups/lap").unwrap()), None);
        assert_eq!(Dataset::parse("tank").unwrap().parent(), None);
    }
}
