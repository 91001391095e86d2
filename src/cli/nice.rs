//! Flags that take a niceness.

use super::value::{Kind, Value, ValueError};
use packmule_protocol::niceness::{Niceness, ParseNicenessError};
use std::ffi::OsStr;

/// A niceness as typed. The command parses it when it runs, so that a wrong one exits with 1 and not
/// with 2, like the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nice(String);

impl Nice {
    /// The default of a command.
    pub(crate) fn of(level: Niceness) -> Self {
        Self(level.to_string())
    }

    /// The niceness it means.
    ///
    /// # Errors
    /// The text is not a niceness.
    pub(crate) fn level(&self) -> Result<Niceness, NotNice> {
        self.0.parse().map_err(|cause| NotNice { cause, text: self.0.clone() })
    }
}

/// A text that is not a niceness.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {text:?}; 1 to 255, or F, P, N, B or MAX, with a difference like P+5")]
pub(crate) struct NotNice {
    cause: ParseNicenessError,
    text: String,
}

impl Value for Nice {
    fn kind(&self) -> Kind {
        Kind::Niceness
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0 = text.to_str().ok_or(ValueError::Syntax)?.into();
        Ok(())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.0)
    }
}
