//! Partial state of an interrupted `zfs receive -s`.

use super::super::command::ZfsError;
use super::super::failure::after_failure;
use super::super::name::Dataset;
use super::super::offer::Offer;
use super::super::outcome::Outcome;
use super::subtree::Subtree;

impl Subtree {
    /// Discards the partial state that blocks a stream, if the policy allows it. Returns the
    /// stream's outcome if it cannot be discarded.
    pub(super) fn drop_partial(
        &mut self,
        offer: &Offer,
        target: &Dataset,
    ) -> Result<Option<Outcome>, ZfsError> {
        let partial = self.view.dataset(target).is_some_and(|state| state.partial);
        if !partial || offer.resuming || !self.policy.drop_partial {
            return Ok(None);
        }
        match self.policy.zfs.ask(&["receive", "-A", target.as_str()]) {
            Err(ZfsError::Failed { stderr, .. }) => return Ok(Some(after_failure(&stderr))),
            other => other?,
        };
        self.refresh(target)?;
        Ok(None)
    }
}
