//! Makes the snapshots of a run.

use super::super::command::ZfsError;
use super::super::dialect::Dialect;
use super::super::name::Dataset;
use super::super::pool::View;
use super::super::state::Snapshot;
use super::choose::Wanted;
use super::dispatch::Dispatch;
use super::error::SendError;
use super::naming::Naming;
use super::properties::{MADE, UNSENT};
use super::run::Run;

impl Run<'_> {
    /// Makes all snapshots at one instant, if `zfs` supports that. If it does not, or one snapshot
    /// fails, makes them one by one. Returns those that could not be made.
    pub(super) fn snapshot(
        &self,
        root: &Dataset,
        wanted: &[Wanted],
        view: &View,
        name: &str,
    ) -> Result<Vec<Dispatch>, SendError> {
        let begins = wanted.iter().any(|wanted| wanted.begins);
        let names = wanted.iter().map(|Wanted { dataset, .. }| format!("{dataset}@{name}"));
        let names: Vec<_> = names.collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let all = format!("{root}@{name}");
        let is_whole = wanted.len() == view.datasets().count() + view.unnamed().count();
        let together = match names.len() {
            1 => None,
            _ if is_whole => Some(self.make(&["-r", &all], begins)),
            _ => (self.dialect == Dialect::Open).then(|| self.make(&names, begins)),
        };
        match together {
            Some(Ok(())) => return Ok(Vec::new()),
            None | Some(Err(ZfsError::Failed { .. })) => {}
            Some(Err(error)) => return Err(error.into()),
        }
        let mut without = Vec::new();
        for (Wanted { dataset, begins, .. }, name) in wanted.iter().zip(&names) {
            match self.make(&[name], *begins) {
                Ok(()) => {}
                Err(error @ ZfsError::Failed { .. }) if names.len() > 1 => {
                    without.push(Dispatch::failed(dataset, error.into()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(without)
    }

    fn make(&self, words: &[&str], begins: bool) -> Result<(), ZfsError> {
        let made = format!("{MADE}=on");
        let unsent = format!("{UNSENT}=on");
        let command = match self.options.naming {
            Naming::Packmule => vec!["snapshot"],
            // The name does not show whether packmule or simplesnap made the snapshot.
            Naming::Simplesnap => vec!["snapshot", "-o", &made],
        };
        let ask = |more: &[&str]| self.zfs.ask(&[&command[..], more, words].concat()).map(drop);
        match begins {
            false => ask(&[]),
            true => match ask(&["-o", &unsent]) {
                // The user may have no permission to set properties; try without.
                Err(ZfsError::Failed { stderr, .. }) if stderr.contains("permission denied") => {
                    ask(&[])
                }
                done => done,
            },
        }
    }

    /// Clears the mark of an unsent snapshot once it was sent to a destination.
    pub(super) fn is_sent(&self, dataset: &Dataset, snapshot: &Snapshot) {
        if snapshot.properties.contains_key(UNSENT) {
            // Failures are ignored: a user who cannot set properties has not set this one either.
            let name = format!("{dataset}@{}", snapshot.name);
            let _ = self.zfs.ask(&["inherit", UNSENT, &name]);
        }
    }
}
