//! A raw full stream for a dataset that so far is only a placeholder: received beside it, and put
//! in its place.
//!
//! ```text
//! 1. receive into TARGET:packmule-GUID
//! 2. rename what is below TARGET to below that
//! 3. destroy TARGET, which is empty now
//! 4. rename TARGET:packmule-GUID to TARGET
//! ```
//!
//! The packet is kept until all is done. After a crash at any step it comes again, and the steps
//! that were done are seen in the pool.

use super::super::command::ZfsError;
use super::super::decide::Offer;
use super::super::name::{Dataset, beside};
use super::subtree::Subtree;

impl Subtree {
    /// The dataset beside the target that an earlier attempt received the stream into.
    pub(super) fn received_beside(
        &mut self,
        offer: &Offer,
        target: &Dataset,
    ) -> Result<Option<Dataset>, ZfsError> {
        if !offer.raw || offer.step.from_guid != 0 {
            return Ok(None);
        }
        let Ok(side) = beside(target, offer.step.to_guid) else { return Ok(None) };
        self.refresh(&side)?;
        Ok(self.has(&side, offer.step.to_guid).then_some(side))
    }

    /// Steps 2 to 4, if the stream is there.
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
            // Without -r: whatever appeared below it meanwhile makes this fail.
            self.policy.zfs.ask(&["destroy", target.as_str()])?;
        }
        let volume = self.view.dataset(side).is_some_and(|state| state.volume);
        self.rename(side.as_str(), target.as_str(), volume)?;
        self.reread()
    }

    fn rename(&self, from: &str, to: &str, volume: bool) -> Result<(), ZfsError> {
        // Volumes are not mounted, and -u is not for them.
        let args = if volume { vec!["rename", from, to] } else { vec!["rename", "-u", from, to] };
        self.policy.zfs.ask(&args).map(drop)
    }
}
