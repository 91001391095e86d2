//! Flags that take a size.

use super::value::{Kind, Value, ValueError};
use std::ffi::OsStr;

/// A size in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kib(pub u64);

impl Kib {
    /// The size in bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.0.saturating_mul(1024)
    }

    /// The size in bytes, if it is not 0.
    pub(crate) fn limit(self) -> Option<u64> {
        (self.0 != 0).then(|| self.bytes())
    }
}

impl Value for Kib {
    fn kind(&self) -> Kind {
        Kind::Unsigned
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.set(text)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}

/// A size in KiB. If negative (the default), the size that the neighbour configures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KibOrConfigured(i64);

impl Default for KibOrConfigured {
    fn default() -> Self {
        Self(-1)
    }
}

impl KibOrConfigured {
    /// The size in bytes; `None` for the configured size.
    pub(crate) fn bytes(self) -> Option<u64> {
        u64::try_from(self.0).ok().map(|kib| Kib(kib).bytes())
    }
}

impl Value for KibOrConfigured {
    fn kind(&self) -> Kind {
        Kind::Integer
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.set(text)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}
