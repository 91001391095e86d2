//! Sends a set, and reports the result of each dataset.

use super::set::Set;
use super::what::What;
use crate::cli::lookup::{self, Name};
use crate::cli::stdio;
use crate::local::Local;
use crate::outbound::ExecOptions;
use crate::zfs::command::Zfs;
use crate::zfs::lock::Locks;
use crate::zfs::mounts::datasets_of;
use crate::zfs::name::Dataset;
use crate::zfs::send::{Dispatch, Options, QueueError, Run, SendError};
use anyhow::{Context, bail};
use std::io::Read;

impl Set {
    /// Sends the requested snapshots of the set. True if all streams were queued.
    ///
    /// # Errors
    /// The set cannot be used, or another process is sending it.
    pub(super) fn send(&self, name: &str, local: &Local, what: &What) -> anyhow::Result<bool> {
        let options = Options {
            apart: self.apart(name, &local.node),
            spool: datasets_of(&local.spool.devices()).context("reading the table of mounts")?,
            ..self.way.options(name)?
        };
        for (key, listed) in [("to", &self.to), ("datasets", &self.datasets)] {
            if listed.is_empty() {
                bail!("{key}: the list is empty: nothing to send");
            }
        }
        let zfs = Zfs::new(&self.way.prefix.0, self.way.zfs.as_deref())?;
        // Look up names first: an unknown neighbour must not leave a new snapshot behind.
        let named = |node: &String| local.node.find(node).map(|found| found.name.clone());
        let to = self.to.iter().map(named).collect::<Result<Vec<_>, _>>();
        let to = to.context("Invalid NODE specified")?;
        let run = Run::new(&zfs, &options, &to, &Locks::of_user())?;
        if options.skip_unchanged && !run.knows_written() {
            complain(
                "skip-unchanged: this zfs has no property `written`, so all datasets are sent",
            );
        }
        let exec = self.exec()?;
        let queue = |node: &str, dataset: &Dataset, stream: &mut (dyn Read + Send)| {
            let to = lookup::destination(&local.node, Name::Node(node))
                .map_err(|error| QueueError::from(error.to_string()))?;
            local.exec(to, &self.command(dataset), stream, &exec)?;
            Ok(())
        };
        let mut whole = true;
        for dataset in &self.datasets {
            let send = |dataset| what.send(&run, &dataset, &queue);
            match Dataset::parse(dataset).map_err(SendError::from).and_then(send) {
                Ok(dispatches) => {
                    whole &= dispatches.iter().map(report).fold(true, |all, ok| all & ok);
                }
                Err(error) => {
                    complain(&format!("{dataset}: {error}"));
                    whole = false;
                }
            }
        }
        Ok(whole)
    }

    fn exec(&self) -> anyhow::Result<ExecOptions> {
        let nice = self.way.nice.level().context("nice")?;
        Ok(ExecOptions { nice, uncompressed: true, follow: false, ..ExecOptions::default() })
    }

    /// The handle and its argument for the destination.
    fn command(&self, dataset: &Dataset) -> [Vec<u8>; 2] {
        let (handle, host) = self.way.place();
        let host = if host.is_empty() { String::new() } else { format!("{host}/") };
        [handle.into(), format!("{host}{dataset}").into()]
    }
}

fn report(dispatch: &Dispatch) -> bool {
    let Dispatch { dataset, destination, result } = dispatch;
    match result {
        Ok(None) => {
            stdio::print(&format!("{dataset} to {destination}: it has the newest snapshot\n"));
            true
        }
        Ok(Some(sent)) => {
            let what = if sent.from_guid == 0 { "full" } else { "increment" };
            let (snapshot, bytes) = (&sent.snapshot, sent.bytes);
            stdio::print(&format!(
                "{dataset}@{snapshot} to {destination}: {what}, {bytes} bytes\n"
            ));
            true
        }
        Err(error) => {
            // Many errors name the dataset themselves.
            match &**destination {
                "" => complain(&error.to_string()),
                _ => complain(&format!("{dataset} to {destination}: {error}")),
            }
            false
        }
    }
}

fn complain(text: &str) {
    stdio::complain(&format!("{}\n", crate::display::escape(text)));
}
