//! Flags that take neighbours.

use super::value::{Kind, Value, ValueError};
use std::ffi::OsStr;

/// One neighbour, or several separated by commas, as typed; `None` if the text is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names(pub Option<String>);

impl Names {
    /// The text, if there is any.
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl Value for Names {
    fn kind(&self) -> Kind {
        Kind::Node
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.set(text)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}
