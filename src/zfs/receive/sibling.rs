//! Receives a raw full stream for a dataset that is only a placeholder: first into a sibling, which
//! then replaces the placeholder.
//!
//! ```text
//! 1. receive into TARGET:packmule-GUID
//! 2. rename the children of TARGET to children of TARGET:packmule-GUID
//! 3. destroy TARGET, which is empty now
//! 4. rename TARGET:packmule-GUID to TARGET
//! ```
//!
//! The packet is kept until step 4 is done. After a crash, the packet is processed again, and the
//! pool shows which steps are done.

use super::super::command::ZfsError;
use super::super::name::{Dataset, sibling};
use super::super::offer::Offer;
use super::subtree::Subtree;

impl Subtree {
    /// The sibling of the target, if an earlier attempt received the stream into it.
    pub(super) fn received_in_sibling(
        &mut self,
        offer: &Offer,
        target: &Dataset,
    ) -> Result<Option<Dataset>, ZfsError> {
        if !offer.raw || offer.step.from_guid != 0 {
            return Ok(None);
        }
        let Ok(side) = sibling(target, offer.step.to_guid) else { return Ok(None) };
        self.refresh(&side)?;
        Ok(self.has(&side, offer.step.to_guid).then_some(side))
    }

    /// Does steps 2 to 4 if step 1 is done.
    pub(super) fn put_in_place(
        &mut self,
        side: &Dataset,
        target: &Dataset,
        guid: u64,
    ) -> Result<(), ZfsError> {
        self.refresh(side)?;
        if !self.has(side, guid) {
            return Ok(());
        }
        self.reread()?;
        for (child, volume) in self.children(target) {
            let moved = child.as_str().replacen(target.as_str(), side.as_str(), 1);
            self.rename(child.as_str(), &moved, volume)?;
        }
        if self.view.dataset(target).is_some_and(|state| state.placeholder) {
            // Without -r, so that this fails if somebody made something below the target meanwhile.
            self.policy.zfs.ask(&["destroy", target.as_str()])?;
        }
        let volume = self.view.dataset(side).is_some_and(|state| state.volume);
        self.rename(side.as_str(), target.as_str(), volume)?;
        self.reread()
    }

    fn rename(&self, from: &str, to: &str, volume: bool) -> Result<(), ZfsError> {
        // -u (do not mount) is for file systems only; `zfs rename` rejects it for a volume.
        let args = if volume { vec!["rename", from, to] } else { vec!["rename", "-u", from, to] };
        self.policy.zfs.ask(&args).map(drop)
    }
}
