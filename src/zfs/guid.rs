//! Guids as strings in JSON: many JSON readers parse numbers as floating point and would round
//! them.

use serde::Serializer;

/// The decimal number as a string, as `packmule zfs resend -from` takes it.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn text<S: Serializer>(guid: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(guid)
}
