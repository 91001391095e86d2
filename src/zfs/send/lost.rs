//! Detects lost marks: the set has snapshots, but no mark. A full stream would then be rejected by
//! the destination.

use super::super::name::Dataset;
use super::super::state::{Snapshot, State};
use super::error::SendError;
use super::marks::{Marks, Role};
use super::naming::{Naming, SetName};
use super::properties::{MADE, UNSENT};
use super::run::Run;

impl Run<'_> {
    /// The destinations to which the dataset is not sent until a person names the base.
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
        let choices = self.choices(dataset, destination);
        let dataset = dataset.to_string();
        let destination = destination.to_owned();
        let set = self.options.set.as_str().to_owned();
        let others = Marks::of_destination(self.dialect, state, &destination);
        let mut others = others.iter().map(Marks::set_name).filter(|other| self.may_be_us(other));
        if let Some(other) = others.next() {
            let other = other.to_owned();
            return Some(SendError::OtherSet { dataset, set, destination, other, choices });
        }
        // If only other destinations have marks, this one is new.
        if marks.has_others(state) || !state.snapshots.iter().any(|of| self.was_sent(of)) {
            return None;
        }
        Some(SendError::Unmarked { dataset, set, destination, choices })
    }

    /// True if the other set may be this one under its former name.
    fn may_be_us(&self, other: &str) -> bool {
        let is_other = |apart: &SetName| apart.as_str() != other;
        other != self.options.set.as_str() && self.options.apart.iter().all(is_other)
    }

    /// True if the snapshot belongs to the set and was sent. A first run that failed leaves unsent
    /// ones.
    fn was_sent(&self, snapshot: &Snapshot) -> bool {
        let has = |property: &str| snapshot.properties.contains_key(property);
        let options = self.options;
        let is_ours = options.naming == Naming::Packmule || has(MADE);
        is_ours && options.naming.is_of(&options.set, &snapshot.name) && !has(UNSENT)
    }

    /// The commands for both ways to continue.
    fn choices(&self, dataset: &Dataset, destination: &str) -> String {
        let send = |from| self.command(&format!("send -from {from}"), destination, dataset);
        format!(
            "if {destination} has the dataset, continue from its newest snapshot: {} (zfs status there \
             prints the GUID); if it has nothing: {}",
            send("GUID"),
            send("nothing")
        )
    }
}
