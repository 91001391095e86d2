//! After `zfs receive`: is the snapshot there, and as it was asked for?

use super::super::command::ZfsError;
use super::super::decide::{Decision, Known, Refusal, Wait, decide};
use super::super::name::Dataset;
use super::super::pool::{APPLIED, Dialect, PLACEHOLDER, Snapshot};
use super::super::words::{after_failure, is_modified};
use super::Outcome;
use super::apply::answer;
use super::parts::{Part, Route};
use super::session::Session;
use std::time::SystemTime;

impl Session {
    /// Looks whether the stream is there, and finds out why not.
    pub(super) fn verify(
        &mut self,
        part: &Part,
        success: bool,
        words: &str,
    ) -> Result<Outcome, ZfsError> {
        if let Route::Beside(side) = &part.route {
            match self.put_in_place(side, &part.target, part.offer.to_guid) {
                Err(ZfsError::Failed { words, .. }) => return Ok(answer(after_failure(&words))),
                other => other?,
            }
        }
        self.refresh(&part.target)?;
        match (self.has(&part.target, part.offer.to_guid), success) {
            (true, _) => self.accept(part),
            (false, true) => {
                let text = "zfs receive succeeded, but the snapshot is not there".to_owned();
                Ok(Outcome::Defer(Wait::Machine(text)))
            }
            (false, false) => Ok(self.why_not(part, words)),
        }
    }

    /// `zfs` failed with these words: the pool may know better.
    fn why_not(&self, part: &Part, words: &str) -> Outcome {
        let Part { offer, target, .. } = part;
        let known = Known { changed: Some(true), passed: self.is_passed(offer, target) };
        match decide(offer, target, self.view.dataset(target), known) {
            Decision::Receive | Decision::ReceiveOver | Decision::ReceiveBeside => {
                self.rollback(answer(after_failure(words)), target)
            }
            decided => answer(decided),
        }
    }

    /// A backup that was changed can be rolled back: zfs-fuse tells of it only when it fails.
    fn rollback(&self, outcome: Outcome, target: &Dataset) -> Outcome {
        let newest = self.view.dataset(target).and_then(|state| state.newest());
        match (outcome, newest) {
            (Outcome::Reject(Refusal::Zfs(said)), Some(newest)) if is_modified(&said) => {
                let newest = format!("{target}@{}", newest.name);
                Outcome::Reject(Refusal::Changed { said, newest })
            }
            (outcome, _) => outcome,
        }
    }

    /// The stream is there: what `zfs receive` could not set is set, and who sent it is noted.
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

    /// Whether a dataset has the snapshot of this guid.
    pub(super) fn has(&self, dataset: &Dataset, guid: u64) -> bool {
        self.view.dataset(dataset).is_some_and(|state| state.snapshot(guid).is_some())
    }

    /// Properties that `zfs receive` could not set, and the record of who sent this.
    fn settle(&self, part: &Part) -> Result<bool, ZfsError> {
        let zfs = &self.policy.zfs;
        if self.dialect == Dialect::Fuse {
            for (property, value) in &self.policy.set {
                zfs.ask(&["set", &format!("{property}={value}"), part.target.as_str()])?;
            }
        }
        if matches!(part.route, Route::Over) {
            zfs.ask(&["inherit", PLACEHOLDER, part.target.as_str()])?;
        }
        Ok(!self.record(&part.target, part.begin.to_name.snapshot(), part.bytes))
    }

    /// Notes on a snapshot who sent it. Tells whether the pool keeps the note.
    fn record(&self, target: &Dataset, snapshot: &str, bytes: u64) -> bool {
        let sender: String = self.policy.sender.chars().filter(|c| !",\t\n".contains(*c)).collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let record = format!("{APPLIED}={sender},{bytes},{}", now.as_secs());
        self.policy.zfs.ask(&["set", &record, &format!("{target}@{snapshot}")]).is_ok()
    }

    /// A receiver that was killed after `zfs` had finished left no note: made up for when the
    /// stream comes again.
    pub(super) fn record_late(&mut self, target: &Dataset, guid: u64) {
        let snapshot = self.view.dataset(target).and_then(|state| state.snapshot(guid));
        let is_bare = |known: &&Snapshot| !known.properties.contains_key(APPLIED);
        let Some(snapshot) = snapshot.filter(is_bare) else { return };
        if !self.record(target, &snapshot.name, 0) {
            self.warn_unrecorded();
        }
    }
}
