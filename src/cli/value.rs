//! The values of flags: their kinds, and how to parse them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The kind of a flag's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No value: the flag is on or off.
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

/// Why a flag's text is not a valid value, in the words of Go's `flag` package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// The text is not of the flag's type.
    #[error("parse error")]
    Syntax,
    /// An integer of more than 64 bits.
    #[error("value out of range")]
    Range,
}

/// The value of a flag.
pub(crate) trait Value {
    /// The kind of the value.
    fn kind(&self) -> Kind;
    /// Sets the value from the text of the command line.
    fn set(&mut self, text: &OsStr) -> Result<(), ValueError>;
    /// The value as help shows a default; empty for what Go calls zero values.
    fn shown(&self) -> String;
    /// Sets the value from a list in the configuration. False if the flag does not accept lists.
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

/// Free text. Empty counts as not given, as in the reference.
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

/// A path. Empty counts as not given.
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
