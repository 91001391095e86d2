//! Marks that were lost: where snapshots of the set are there and no mark, a full stream is one that
//! the destination can only refuse.

use super::super::name::Dataset;
use super::super::pool::{Snapshot, State};
use super::error::SendError;
use super::marks::{Marks, Role};
use super::naming::{Naming, SetName};
use super::properties::{MADE, UNSENT};
use super::run::Run;

impl Run<'_> {
    /// The destinations to which a dataset must not be sent without a person who says from what.
    pub(super) fn unmarked(&self, dataset: &Dataset, state: &State) -> Vec<(String, SendError)> {
        let stopped = self.marks.iter().filter_map(|(destination, marks)| {
            let has = |role: &Role| !marks.all(state, *role).is_empty();
            if Role::ALL.iter().any(has) {
                return None;
            }
            Some((destination.clone(), self.lost(dataset, state, destination, marks)?))
        });
        stopped.collect()
    }

    fn lost(
        &self,
        dataset: &Dataset,
        state: &State,
        destination: &str,
        marks: &Marks,
    ) -> Option<SendError> {
        let go_on = self.go_on(dataset, destination);
        let dataset = dataset.to_string();
        let destination = destination.to_owned();
        let set = self.options.set.as_str().to_owned();
        let others = Marks::of_destination(self.dialect, state, &destination);
        let mut others = others.iter().map(Marks::set_name).filter(|other| self.may_be_us(other));
        if let Some(other) = others.next() {
            let other = other.to_owned();
            return Some(SendError::OtherSet { dataset, set, destination, other, go_on });
        }
        // What was sent to others only is new to this one.
        if marks.has_others(state) || !state.snapshots.iter().any(|of| self.was_sent(of)) {
            return None;
        }
        Some(SendError::Unmarked { dataset, set, destination, go_on })
    }

    /// Whether another set may have been this one, under the name that it had.
    fn may_be_us(&self, other: &str) -> bool {
        let is_other = |apart: &SetName| apart.as_str() != other;
        other != self.options.set.as_str() && self.options.apart.iter().all(is_other)
    }

    /// Whether a snapshot is one of the set, and not one that was left by a first run that failed.
    fn was_sent(&self, snapshot: &Snapshot) -> bool {
        let has = |property: &str| snapshot.properties.contains_key(property);
        let options = self.options;
        let is_ours = options.naming == Naming::Packmule || has(MADE);
        is_ours && options.naming.is_of(&options.set, &snapshot.name) && !has(UNSENT)
    }

    /// Both ways on.
    fn go_on(&self, dataset: &Dataset, destination: &str) -> String {
        let send = |from| self.command(&format!("send -from {from}"), destination, dataset);
        format!(
            "if {destination} has it, go on from the newest snapshot there: {} (zfs status there \
             tells the GUID); if it has nothing of it: {}",
            send("GUID"),
            send("nothing")
        )
    }
}
