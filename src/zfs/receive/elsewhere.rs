//! A base that lies in another dataset than where its stream goes, as after a rename at the sender.

use super::super::name::{Dataset, beside, word};
use super::super::reason::Wait;
use super::subtree::Subtree;

/// Stands for a name that only the operator can choose.
const PLACE: &str = "PLACE";

impl Subtree {
    /// Where the missing base of a stream is instead, and the commands that make that the place of the
    /// stream.
    pub(super) fn elsewhere(&self, guid: u64, target: &Dataset) -> Option<Wait> {
        let mut here = target.clone();
        // There it is on its way here.
        let side = beside(&here, guid).ok();
        let is_there = |name: &&Dataset| self.has(name, guid) && side.as_ref() != Some(*name);
        let mut there = self.view.datasets().map(|(name, _)| name).find(is_there)?.clone();
        // What lies below a dataset moves along with it.
        while let Some(parents) = self.renamed_parents(&there, &here) {
            (there, here) = parents;
        }
        let way = self.way(&there, &here);
        Some(Wait::Elsewhere { guid, there, here, way })
    }

    /// The datasets above these two, if a rename of the one to the other makes the one below it the
    /// other, too.
    fn renamed_parents(&self, there: &Dataset, here: &Dataset) -> Option<(Dataset, Dataset)> {
        let parents = (there.parent()?, here.parent()?);
        let is_free = self.view.dataset(&parents.1).is_none();
        let is_ours = parents.0.below(&self.policy.into).is_some();
        (there.name() == here.name() && is_free && is_ours).then_some(parents)
    }

    /// The commands by which `there` gets the name `here`.
    fn way(&self, there: &Dataset, here: &Dataset) -> String {
        let (from, to) = (word(there.as_str()), word(here.as_str()));
        let outside = format!("where {PLACE} is outside of {}", self.policy.into);
        if here.below(there).is_some() {
            // What is to be above it comes first, into the place that it leaves.
            return format!(
                "zfs rename {from} {PLACE}, {outside}; packmule toss; zfs rename {PLACE} {to}"
            );
        }
        match self.view.dataset(here) {
            Some(state) if state.newest().is_none() && self.children(here).is_empty() => {
                format!("zfs destroy {to}; zfs rename {from} {to}")
            }
            Some(_) => {
                let from = match there.below(here) {
                    Some(rest) => format!("{PLACE}/{}", word(&rest.to_string())),
                    None => from.to_string(),
                };
                format!(
                    "zfs rename {to} {PLACE}, {outside} (what is below it moves along); \
                     zfs rename {from} {to}"
                )
            }
            None if here.parent().is_some_and(|parent| self.view.dataset(&parent).is_none()) => {
                format!("zfs rename -p {from} {to}")
            }
            None => format!("zfs rename {from} {to}"),
        }
    }
}
