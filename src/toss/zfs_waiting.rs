//! Predicts what a toss would do with the waiting ZFS streams.

use super::builtin::{Builtins, Turn};
use super::options::Toss;
use super::outcome::Stays;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::handler::{Builtin, Verdict, ZfsReceive};
use crate::spool::{Job, Xx};
use crate::zfs::decide::Wait;
use crate::zfs::receive::{self, Prediction};
use packmule_protocol::packet::{Kind, Kinds};
use std::cell::RefCell;
use std::rc::Rc;

impl Toss<'_> {
    /// The packets in a neighbour's queue that wait for `builtin:zfs-receive`, and their predicted
    /// outcomes. Changes nothing.
    ///
    /// # Errors
    /// If the queue cannot be listed.
    pub(crate) fn zfs_waiting(
        &self,
        neighbour: &Neighbour,
    ) -> Result<Vec<(Job, Prediction)>, DiskError> {
        let skip = Kinds::ALL.without(Kinds::of(&[Kind::Exec, Kind::ExecFat]));
        let zfs = Rc::new(RefCell::new(ZfsReceive::default()));
        let builtins = Builtins::only(Builtin::ZFS_RECEIVE, zfs.clone());
        let jobs = self.local.spool.jobs(&neighbour.id, Xx::Rx)?;
        let mut unread = Vec::new();
        for (key, job) in jobs.iter().enumerate() {
            let outcome = self.packet(neighbour, job, skip, Turn::Peek(key, &builtins));
            if outcome == Err(Stays::Failed)
                && let Err(reason) = self.is_readable(job)
            {
                unread.push((key, reason));
            }
        }
        let mut held = zfs.borrow().overview();
        held.extend(unread.into_iter().map(|(key, reason)| unknown(key, reason)));
        for (key, verdict) in builtins.into_peeked() {
            if let Verdict::Blocked { reason } | Verdict::Failed { reason, .. } = verdict {
                held.push(unknown(key, reason));
            }
        }
        held.sort_by_key(|held| held.key);
        let mut jobs: Vec<_> = jobs.into_iter().map(Some).collect();
        Ok(held.into_iter().filter_map(|held| Some((jobs[held.key].take()?, held))).collect())
    }
}

/// The prediction for a packet that cannot be read.
fn unknown(key: usize, reason: String) -> Prediction {
    let outcome = Some(receive::Outcome::Defer(Wait::Input(reason)));
    Prediction { key, name: None, to_guid: None, stream: None, outcome }
}
