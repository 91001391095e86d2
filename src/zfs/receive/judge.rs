//! What the pool says now about a stream that is at hand.

use super::super::command::ZfsError;
use super::super::decide::{Decision, Known, Offer, decide};
use super::super::name::Dataset;
use super::super::pool::{Dialect, State, written_since};
use super::super::words::after_failure;
use super::session::Session;

impl Session {
    pub(super) fn decide_now(&self, offer: &Offer, target: &Dataset) -> Result<Decision, ZfsError> {
        let state = self.view.dataset(target);
        let changed = match state {
            Some(state) => self.changed(offer, target, state)?,
            None => None,
        };
        let known = Known { changed, passed: self.is_passed(offer, target) };
        Ok(decide(offer, target, state, known))
    }

    /// Whether the dataset was changed since the stream's base, when that is not its newest
    /// snapshot and `zfs` can tell.
    fn changed(
        &self,
        offer: &Offer,
        target: &Dataset,
        state: &State,
    ) -> Result<Option<bool>, ZfsError> {
        let base = state.snapshot(offer.from_guid);
        let newest = state.newest().map(|newest| newest.guid);
        let Some(base) = base.filter(|base| Some(base.guid) != newest) else { return Ok(None) };
        if self.dialect == Dialect::Fuse {
            return Ok(None);
        }
        let written = written_since(&self.policy.zfs, target, &format!("@{}", base.name))?;
        Ok(written.map(|bytes| bytes > 0))
    }

    /// Throws away what an interrupted receive left in the way, if that is allowed. Gives the
    /// decision about the stream when it can not be done.
    pub(super) fn drop_partial(
        &mut self,
        offer: &Offer,
        target: &Dataset,
    ) -> Result<Option<Decision>, ZfsError> {
        let partial = self.view.dataset(target).is_some_and(|state| state.partial);
        if !partial || offer.resuming || !self.policy.drop_partial {
            return Ok(None);
        }
        match self.policy.zfs.ask(&["receive", "-A", target.as_str()]) {
            Err(ZfsError::Failed { words, .. }) => return Ok(Some(after_failure(&words))),
            other => other?,
        };
        self.refresh(target)?;
        Ok(None)
    }
}
