//! The record on a received snapshot: sender, length of the stream, time of the receive.

use super::super::name::{Dataset, word};
use super::super::state::{APPLIED, Snapshot};
use super::subtree::Subtree;
use std::time::SystemTime;

impl Subtree {
    /// Records the sender on a snapshot. Returns false if the pool cannot store the record.
    pub(super) fn record(&self, target: &Dataset, snapshot: &str, bytes: u64) -> bool {
        let sender: String = self.policy.sender.chars().filter(|c| !",\t\n".contains(*c)).collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let record = format!("{APPLIED}={sender},{bytes},{}", now.as_secs());
        self.policy.zfs.ask(&["set", &record, &format!("{target}@{snapshot}")]).is_ok()
    }

    /// Adds a missing record when a stream arrives again: the receiver was killed after `zfs` had
    /// finished and before it recorded that.
    pub(super) fn record_late(&mut self, target: &Dataset, guid: u64) {
        let snapshot = self.view.dataset(target).and_then(|state| state.snapshot(guid));
        let is_bare = |known: &&Snapshot| !known.properties.contains_key(APPLIED);
        let Some(snapshot) = snapshot.filter(is_bare) else { return };
        if !self.record(target, &snapshot.name, 0) {
            self.warn_unrecorded();
        }
    }

    /// Warns once that the pool cannot store records.
    pub(super) fn warn_unrecorded(&mut self) {
        let text = format!(
            "{}: zfs cannot store the records of receives, which packmule zfs status reads: \
             zfs allow USER userprop {}",
            self.policy.into,
            word(self.policy.into.as_str())
        );
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}
