//! Guids in JSON: as text, since many readers of JSON take a number for floating point and round it.

use serde::Serializer;

/// The decimal number as a string, as `packmule zfs resend -from` takes it.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn text<S: Serializer>(guid: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(guid)
}
