//! Reassembles chunked files. NNCP manual, "nncp-reass".
//!
//! `description` reads `F.nncp.meta`, `pieces` finds and verifies the chunks, and `assembly` makes
//! `F` of them, in the space of the chunks; an interrupted run can be resumed. All names are derived
//! from the description's and stay in its directory. Reass follows no link, and opens only regular
//! files.

mod assembly;
mod description;
mod error;
mod pieces;
mod run;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use description::Description;
pub(crate) use error::ReassError;
pub(crate) use worker::{Options, Reass};

use crate::disk::{self, DiskError};
use packmule_protocol::chunked::META_SUFFIX;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The paths of all descriptions in and below `dir`, in order; empty if `dir` does not exist. Follows
/// no link. Includes every entry with a description's name; opening one that is not a regular file
/// fails. Calls `unread` for each directory that cannot be read, and continues with the others.
pub(crate) fn descriptions(dir: &Path, mut unread: impl FnMut(DiskError)) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        let mut look = || -> Result<(), DiskError> {
            left.extend(disk::entries(&dir, |kind| kind.is_dir())?);
            let files = disk::entries(&dir, |kind| !kind.is_dir())?;
            found.extend(
                files
                    .into_iter()
                    .filter(|path| path.as_os_str().as_bytes().ends_with(META_SUFFIX.as_bytes())),
            );
            Ok(())
        };
        if let Err(error) = look() {
            unread(error);
        }
    }
    found.sort();
    found
}
