//! The values of flags: what they take, and how their texts are read.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing: it is on or off.
    Switch,
    /// Free text.
    Text,
    /// A path.
    Path,
    /// A neighbour, or several.
    Node,
    /// A niceness.
    Niceness,
    /// An integer.
    Integer,
    /// An integer that is not negative.
    Unsigned,
}

impl Kind {
    /// The type word of help texts, as Go prints it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Switch => "",
            Self::Text | Self::Path | Self::Node | Self::Niceness => "string",
            Self::Integer => "int",
            Self::Unsigned => "uint",
        }
    }
}

/// Why a flag's text is not a value. The words are Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// Not of the flag's type.
    #[error("parse error")]
    Syntax,
    /// An integer of more than 64 bits.
    #[error("value out of range")]
    Range,
}

/// The value of a flag.
pub(crate) trait Value {
    /// What the flag takes.
    fn kind(&self) -> Kind;
    /// Takes the text given on the command line.
    fn set(&mut self, text: &OsStr) -> Result<(), ValueError>;
    /// The value as help shows a default; empty for Go's zero values.
    fn shown(&self) -> String;
    /// Takes a list of words from a configuration. Tells whether the flag takes one.
    fn set_words(&mut self, _words: Vec<String>) -> bool {
        false
    }
}

impl Value for bool {
    fn kind(&self) -> Kind {
        Kind::Switch
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = match text.to_str() {
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
            _ => return Err(ValueError::Syntax),
        };
        Ok(())
    }

    fn shown(&self) -> String {
        String::new()
    }
}

/// Free text; empty is as good as not given, as in the reference.
impl Value for Option<String> {
    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        let text = text.to_str().ok_or(ValueError::Syntax)?;
        *self = (!text.is_empty()).then(|| text.into());
        Ok(())
    }

    fn shown(&self) -> String {
        self.as_ref().map(|text| format!("{text:?}")).unwrap_or_default()
    }
}

/// A path; empty is as good as not given.
impl Value for Option<PathBuf> {
    fn kind(&self) -> Kind {
        Kind::Path
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = (!text.is_empty()).then(|| OsString::from(text).into());
        Ok(())
    }

    fn shown(&self) -> String {
        self.as_ref().map(|path| format!("{path:?}")).unwrap_or_default()
    }
}
