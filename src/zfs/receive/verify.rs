//! Verifies the result of `zfs receive` in the pool: the snapshot exists and has its properties.

use super::super::command::ZfsError;
use super::super::decide::Route;
use super::super::dialect::Dialect;
use super::super::failure::after_failure;
use super::super::name::Dataset;
use super::super::outcome::Outcome;
use super::super::reason::{Refusal, Wait};
use super::super::state::PLACEHOLDER;
use super::judge::Judge;
use super::part::Part;
use super::subtree::Subtree;
use crate::chain::Links;

impl Subtree {
    /// Looks for the stream's snapshot in the pool, and finds out why if it is missing.
    pub(super) fn verify(
        &mut self,
        part: &Part,
        links: &Links<Dataset>,
        success: bool,
        stderr: &str,
    ) -> Result<Outcome, ZfsError> {
        if part.route == Route::Sibling {
            match self.put_in_place(&part.into, &part.target, part.offer.step.to_guid) {
                Err(ZfsError::Failed { stderr, .. }) => return Ok(after_failure(&stderr)),
                other => other?,
            }
        }
        self.refresh(&part.target)?;
        match (self.has(&part.target, part.offer.step.to_guid), success) {
            (true, _) => self.accept(part),
            (false, true) => {
                let text = "zfs receive succeeded, but the snapshot does not exist".to_owned();
                Ok(Outcome::Defer(Wait::Machine(text)))
            }
            (false, false) => {
                let judge = Judge { subtree: self, links };
                Ok(judge.after_failure(&part.offer, &part.target, stderr))
            }
        }
    }

    /// Completes an applied stream: sets the properties that `zfs receive` could not set, and
    /// records the sender.
    fn accept(&mut self, part: &Part) -> Result<Outcome, ZfsError> {
        let unrecorded = self.settle(part)?;
        if unrecorded {
            self.warn_unrecorded();
        }
        self.refresh(&part.target)?;
        let readonly = self.view.dataset(&part.target).is_some_and(|state| state.readonly);
        match self.policy.readonly() {
            Some(asked) if (asked == "on") != readonly => {
                Ok(Outcome::Reject(Refusal::NotReadonly(asked.to_owned())))
            }
            _ => Ok(Outcome::Done(vec![part.applied(unrecorded)])),
        }
    }

    /// Sets the properties that `zfs receive` could not set, and records the sender. Returns false
    /// if the pool cannot store the record.
    fn settle(&self, part: &Part) -> Result<bool, ZfsError> {
        let zfs = &self.policy.zfs;
        if self.dialect == Dialect::Fuse {
            for (property, value) in &self.policy.set {
                zfs.ask(&["set", &format!("{property}={value}"), part.target.as_str()])?;
            }
        }
        if part.route == Route::Over {
            zfs.ask(&["inherit", PLACEHOLDER, part.target.as_str()])?;
        }
        Ok(!self.record(&part.target, part.begin.to_name.snapshot(), part.bytes))
    }
}
