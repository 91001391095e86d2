//! One run of reassembly, and what is logged of it.

use super::description::Description;
use super::error::ReassError;
use super::worker::Reass;
use crate::log::event;
use packmule_protocol::chunked::MetaError;
use std::fs::File;
use std::path::Path;

impl Reass<'_> {
    /// Reassembles the file of the description at `path`, in the same directory.
    ///
    /// # Errors
    /// [`ReassError`]. All except [`ReassError::Open`] were logged.
    pub(crate) fn file(&self, path: &Path) -> Result<(), ReassError> {
        self.logged(path, || {
            let description = Description::open(path)?;
            match self.options.keep {
                true => self.beside(&description),
                false => self.in_place(&description),
            }
        })
    }

    /// Writes the file of the description at `path` to `out`. Verifies all chunks before it writes the
    /// first byte.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn stream(&self, path: &Path, out: &File) -> Result<(), ReassError> {
        self.logged(path, || self.pour(&Description::open(path)?, out))
    }

    /// Reads the description at `path`.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn describe(&self, path: &Path) -> Result<Description, ReassError> {
        Description::open(path).inspect_err(|error| self.log_error(path, error))
    }

    /// Logs the result.
    fn logged(
        &self,
        path: &Path,
        work: impl FnOnce() -> Result<(), ReassError>,
    ) -> Result<(), ReassError> {
        let done = if self.options.dry_run { event::Reass::DryRun } else { event::Reass::Done };
        work().inspect_err(|error| self.log_error(path, error))?;
        self.log.info(event::reass(done, path));
        Ok(())
    }

    fn log_error(&self, path: &Path, error: &ReassError) {
        let what = match error {
            // The command reports `Open` itself, and each wrong chunk was logged.
            ReassError::Open(_) | ReassError::Chunks => return,
            ReassError::Meta(MetaError::Magic(_)) => event::Reass::Failed,
            ReassError::Meta(_) | ReassError::TooMany => event::Reass::BadMeta,
            ReassError::Removing(_) => event::Reass::Removing,
            _ => event::Reass::Failed,
        };
        self.log.error(event::reass(what, path), error);
    }
}
