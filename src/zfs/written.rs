//! How much was written to a dataset since a snapshot or a bookmark.

use super::command::{Zfs, ZfsError};
use super::name::Dataset;

/// Bytes written to a dataset since one of its snapshots or bookmarks (`@name`, `#name`); `None` if
/// `zfs` does not report it. zfsprops(7), `written@snapshot`.
///
/// # Errors
/// If `zfs` cannot be run or does not know the property.
pub(crate) fn written_since(
    zfs: &Zfs,
    dataset: &Dataset,
    since: &str,
) -> Result<Option<u64>, ZfsError> {
    let property = format!("written{since}");
    let answer = zfs.ask(&["get", "-Hp", "-o", "value", &property, dataset.as_str()])?;
    Ok(answer.trim().parse().ok())
}
