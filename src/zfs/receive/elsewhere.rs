//! Finds a base that is in another dataset than the stream's target, as after a rename at the
//! sender.

use super::super::name::{Dataset, sibling, word};
use super::super::reason::Wait;
use super::subtree::Subtree;

/// In printed commands: a name that the operator chooses.
const PLACE: &str = "PLACE";

impl Subtree {
    /// The dataset that has the missing base of a stream, and the commands that rename it to the
    /// stream's target.
    pub(super) fn elsewhere(&self, guid: u64, target: &Dataset) -> Option<Wait> {
        let mut here = target.clone();
        // `receive/sibling.rs` is about to rename this sibling to the target.
        let side = sibling(&here, guid).ok();
        let is_there = |name: &&Dataset| self.has(name, guid) && side.as_ref() != Some(*name);
        let mut there = self.view.datasets().map(|(name, _)| name).find(is_there)?.clone();
        // A rename moves all children along, so suggest the rename of the highest ancestor that
        // differs.
        while let Some(parents) = self.renamed_parents(&there, &here) {
            (there, here) = parents;
        }
        let way = self.way(&there, &here);
        Some(Wait::Elsewhere { guid, there, here, way })
    }

    /// The parents of the two datasets, if renaming one parent to the other also renames `there` to
    /// `here`.
    fn renamed_parents(&self, there: &Dataset, here: &Dataset) -> Option<(Dataset, Dataset)> {
        let parents = (there.parent()?, here.parent()?);
        let is_free = self.view.dataset(&parents.1).is_none();
        let is_ours = parents.0.below(&self.policy.into).is_some();
        (there.name() == here.name() && is_free && is_ours).then_some(parents)
    }

    /// The commands that rename `there` to `here`.
    fn way(&self, there: &Dataset, here: &Dataset) -> String {
        let (from, to) = (word(there.as_str()), word(here.as_str()));
        let outside = format!("where {PLACE} is outside of {}", self.policy.into);
        if here.below(there).is_some() {
            // `there` takes the name of its own ancestor, so it has to leave that ancestor first.
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
                    "zfs rename {to} {PLACE}, {outside} (its children move along); \
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
