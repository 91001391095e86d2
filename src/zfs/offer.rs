//! What a stream offers to its target.

use super::stream::{Begin, Features};
use crate::chain::Step;

/// The properties of a plain stream that the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The snapshot it makes and the snapshot it needs.
    pub step: Step,
    /// Blocks encrypted as on disk (`zfs send -w`).
    pub raw: bool,
    /// Resumes an interrupted receive (`zfs send -t`).
    pub resuming: bool,
}

impl From<&Begin> for Offer {
    fn from(begin: &Begin) -> Self {
        Self {
            step: Step {
                to_guid: begin.to_guid,
                from_guid: begin.from_guid,
                creation: begin.creation_time,
            },
            raw: begin.features.contains(Features::RAW),
            resuming: begin.features.contains(Features::RESUMING),
        }
    }
}
