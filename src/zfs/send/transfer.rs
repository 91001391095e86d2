//! Sends one snapshot to its destinations, and marks it.

use super::super::dialect::Dialect;
use super::super::name::Dataset;
use super::super::state::Snapshot;
use super::base::Source;
use super::dispatch::{Dispatch, Sent};
use super::error::SendError;
use super::marks::{Mark, Role};
use super::queue::Queue;
use super::run::Run;
use super::step::Step;
use super::stream::{Expected, Stream};
use std::collections::BTreeMap;

impl Run<'_> {
    /// Sends one snapshot to every destination. Runs `zfs send` once for all that have the same
    /// base.
    pub(super) fn send_step(
        &self,
        step: Step<'_>,
        source: &Source,
        due: &[String],
        queue: &Queue<'_>,
    ) -> Vec<Dispatch> {
        let mut results = Vec::new();
        let mut groups: BTreeMap<Option<Mark>, Vec<String>> = BTreeMap::new();
        for (name, marks) in self.marks.iter().filter(|(name, _)| due.contains(name)) {
            match self.base(step, marks, source) {
                // The destination has the snapshot already.
                Ok(Some(base)) if base.guid == step.snapshot.guid => {
                    results.push((name.clone(), Ok(None)));
                }
                Ok(base) => groups.entry(base).or_default().push(name.clone()),
                Err(error) => results.push((name.clone(), Err(error))),
            }
        }
        for (base, destinations) in groups {
            // A person said that the destination has this base. Marked as sent, it is the base of
            // the next run even if this one is killed.
            if let (Some(base), Source::Guids(_)) = (&base, source) {
                destinations.iter().for_each(|name| self.mark_base(step, base, name));
            }
            results.extend(self.stream(step, base.as_ref(), &destinations, queue));
        }
        let dataset = step.dataset.to_string();
        let dispatch =
            |(destination, result)| Dispatch { dataset: dataset.clone(), destination, result };
        results.into_iter().map(dispatch).collect()
    }

    fn stream(
        &self,
        step: Step<'_>,
        base: Option<&Mark>,
        destinations: &[String],
        queue: &Queue<'_>,
    ) -> Vec<(String, Result<Option<Sent>, SendError>)> {
        let Step { dataset, state, snapshot } = step;
        let from_guid = base.map_or(0, |base| base.guid);
        let chain = base.and_then(|base| base.chain);
        let expected = Expected { to_guid: snapshot.guid, from_guid, chain };
        let args = self.arguments(dataset, snapshot, base);
        let stream = Stream { zfs: self.zfs, args, dataset, expected, flow: &self.options.flow };
        let marked = match self.mark_pending(step, destinations) {
            Ok(marked) => marked,
            Err(error) => return for_all(destinations, error),
        };
        let (sent, queued) = match stream.send(destinations, queue) {
            Ok(sent) => sent,
            Err(error) => {
                // This run published nothing, so its pending marks go. An earlier, killed run may
                // have published the snapshot, so its marks stay. Errors are ignored: a mark too
                // many only makes the chain longer.
                let _ = self.clear_pending(dataset, &marked, |guid| guid == snapshot.guid);
                return for_all(destinations, error);
            }
        };
        let finish = |(name, said): (String, Result<(), _>)| {
            let result = said.map_err(|error| SendError::Queue(name.clone(), error));
            let result = result.and_then(|()| {
                // The base moves only now, since the packet is durably queued.
                let mark = Mark { chain: Some(sent.chain), ..Mark::of_snapshot(snapshot) };
                self.marks[&name].set(self.zfs, dataset, state, &mark, Role::Sent)?;
                self.is_sent(dataset, snapshot);
                if base.is_none() {
                    self.marks[&name].demote(self.zfs, dataset, state)?;
                }
                self.clear_pending(dataset, std::slice::from_ref(&name), |_| true)?;
                let (to_guid, snapshot) = (snapshot.guid, snapshot.name.clone());
                Ok(Some(Sent { snapshot, to_guid, from_guid, bytes: sent.bytes }))
            });
            (name, result)
        };
        queued.into_iter().map(finish).collect()
    }

    /// Marks a base as sent that has no mark. Failures are ignored: the chain is still intact.
    fn mark_base(&self, Step { dataset, .. }: Step<'_>, base: &Mark, destination: &str) {
        let marks = &self.marks[destination];
        if let Ok(state) = self.read_state(dataset)
            && marks.newest(&state, Role::Sent).is_none()
        {
            let _ = marks.set(self.zfs, dataset, &state, base, Role::Sent);
        }
    }

    /// Marks the first snapshot of a chain as pending before it is published. Otherwise, if the run
    /// were killed before it marks the snapshot as sent, the next run would begin another chain,
    /// which the receiver rejects. Returns the destinations for which the mark is new.
    fn mark_pending(
        &self,
        Step { dataset, state, snapshot }: Step<'_>,
        destinations: &[String],
    ) -> Result<Vec<String>, SendError> {
        let mut marked = Vec::new();
        for name in destinations {
            let marks = &self.marks[name];
            if marks.newest(state, Role::Sent).is_none() {
                let mark = Mark::of_snapshot(snapshot);
                if marks.set(self.zfs, dataset, state, &mark, Role::Pending)? {
                    marked.push(name.clone());
                }
            }
        }
        Ok(marked)
    }

    /// Removes pending marks on snapshots whose guids match.
    fn clear_pending(
        &self,
        dataset: &Dataset,
        destinations: &[String],
        which: impl Fn(u64) -> bool,
    ) -> Result<(), SendError> {
        let state = &self.read_state(dataset)?;
        for marks in destinations.iter().map(|name| &self.marks[name]) {
            marks.clear(self.zfs, dataset, state, Role::Pending, &which)?;
        }
        Ok(())
    }

    fn arguments(
        &self,
        dataset: &Dataset,
        snapshot: &Snapshot,
        base: Option<&Mark>,
    ) -> Vec<String> {
        let options = self.options;
        let flags = [
            (options.raw, "-w"),
            (options.compressed, "-c"),
            (options.large_blocks, "-L"),
            (options.embedded, "-e"),
        ];
        let known = self.dialect == Dialect::Open;
        let flags = flags.iter().filter(|(wanted, _)| *wanted && known);
        let mut args = vec!["send".to_owned()];
        args.extend(flags.map(|(_, flag)| (*flag).to_owned()));
        if let Some(base) = base {
            args.extend(["-i".to_owned(), format!("{dataset}{}", base.base)]);
        }
        args.push(format!("{dataset}@{}", snapshot.name));
        args
    }
}

/// The same failure for each destination.
fn for_all(
    destinations: &[String],
    error: SendError,
) -> Vec<(String, Result<Option<Sent>, SendError>)> {
    let text = error.to_string();
    let mut first = Some(error);
    let each = |name: &String| {
        let error = first.take();
        let error = error.unwrap_or_else(|| SendError::Queue(name.clone(), text.clone().into()));
        (name.clone(), Err(error))
    };
    destinations.iter().map(each).collect()
}
