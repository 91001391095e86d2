//! Chooses the datasets to send.

use super::super::dialect::Dialect;
use super::super::name::{Dataset, word};
use super::super::pool::View;
use super::super::state::{APPLIED, State};
use super::super::written::written_since;
use super::base::{Source, prefer};
use super::dispatch::Dispatch;
use super::error::SendError;
use super::marks::{Marks, Role};
use super::properties::{EXCLUDE, SIMPLESNAPS};
use super::run::{Run, absent};
use std::collections::BTreeSet;

/// A dataset of which a snapshot is to be made.
pub(super) struct Wanted {
    pub(super) dataset: Dataset,
    /// The destinations to send it to.
    pub(super) to: BTreeSet<String>,
    /// The snapshot may be the first of a chain.
    pub(super) begins: bool,
}

/// Whether a dataset is to be sent.
#[derive(Debug, PartialEq, Eq)]
enum Choice<'a> {
    Sent,
    LeftOut,
    /// The value is neither `on` nor `off`, so the owner's intention is unknown.
    Unclear(&'a str),
}

fn choice(state: &State) -> Choice<'_> {
    let value = |name: &str| state.properties.get(name).map(String::as_str);
    match value(EXCLUDE) {
        None | Some("off") if value(SIMPLESNAPS) == Some("on") => Choice::LeftOut,
        None | Some("off") => Choice::Sent,
        Some("on") => Choice::LeftOut,
        Some(other) => Choice::Unclear(other),
    }
}

impl Run<'_> {
    /// The datasets to send, parents first, and a failed dispatch for each whose name or properties
    /// prevent it.
    ///
    /// # Errors
    /// If the root itself is excluded or does not exist.
    pub(super) fn listed(
        &self,
        root: &Dataset,
        view: &View,
    ) -> Result<(Vec<Dataset>, Vec<Dispatch>), SendError> {
        match choice(view.dataset(root).ok_or_else(|| absent(root))?) {
            Choice::LeftOut => return Err(SendError::Excluded(root.to_string())),
            Choice::Unclear(value) => return Err(unclear(root, value)),
            Choice::Sent => {}
        }
        let mut names = Vec::new();
        let mut dispatches = self.unnamed(view);
        for (name, state) in view.datasets() {
            if name != root && !self.options.recursive {
                continue;
            }
            match choice(state) {
                Choice::Sent if self.options.spool.contains(name.as_str()) => {
                    dispatches.push(Dispatch::failed(name, SendError::Spool(name.to_string())));
                }
                Choice::Sent => names.push(name.clone()),
                Choice::Unclear(value) if !is_inherited(name, value, view) => {
                    dispatches.push(Dispatch::failed(name, unclear(name, value)));
                }
                _ => {}
            }
        }
        names.sort_by_key(Dataset::depth);
        Ok((names, dispatches))
    }

    /// A failed dispatch for each dataset whose name packmule does not accept.
    fn unnamed(&self, view: &View) -> Vec<Dispatch> {
        let wanted = view
            .unnamed()
            .filter(|(_, state)| self.options.recursive && choice(state) != Choice::LeftOut);
        wanted
            .map(|(name, _)| Dispatch::failed(name, SendError::Unnamed(name.to_owned())))
            .collect()
    }

    /// The destinations of each dataset. Adds a failed dispatch for each that cannot be sent.
    pub(super) fn wanted(
        &self,
        dataset: Dataset,
        before: &View,
        from: &Source,
        dispatches: &mut Vec<Dispatch>,
    ) -> Option<Wanted> {
        let state = before.dataset(&dataset)?;
        let mut to: BTreeSet<_> = self.marks.keys().cloned().collect();
        if *from == Source::Sent {
            if self.is_unchanged(before, &dataset) {
                return None;
            }
            for (destination, error) in self.unmarked(&dataset, state) {
                to.remove(&destination);
                let (dataset, result) = (dataset.to_string(), Err(error));
                dispatches.push(Dispatch { dataset, destination, result });
            }
        }
        if let Some(error) = self.backup(&dataset, state).filter(|_| !to.is_empty()) {
            dispatches.push(Dispatch::failed(&dataset, error));
            return None;
        }
        let is_new = |name: &String| self.marks[name].newest(state, Role::Sent).is_none();
        let begins = to.iter().any(is_new);
        (!to.is_empty()).then_some(Wanted { dataset, to, begins })
    }

    /// Rejects a dataset that receives raw streams: they can only be received over the newest
    /// snapshot that they brought, and a new local snapshot would block them.
    fn backup(&self, dataset: &Dataset, state: &State) -> Option<SendError> {
        let newest = state.newest().filter(|_| state.readonly)?;
        if !newest.properties.contains_key(APPLIED) {
            return None;
        }
        let is_locked = || {
            let ask = ["get", "-H", "-o", "value", "keystatus", dataset.as_str()];
            let open = self.dialect == Dialect::Open;
            open && self.zfs.ask(&ask).is_ok_and(|answer| answer.trim() == "unavailable")
        };
        if !self.options.raw && !is_locked() {
            return None;
        }
        let what = format!("send -snapshot {}", word(&newest.name));
        let send = self.command(&what, "NODE", dataset);
        Some(SendError::Backup { dataset: dataset.to_string(), send })
    }

    /// True if nothing was written since the newest snapshot that each destination was sent.
    fn is_unchanged(&self, view: &View, dataset: &Dataset) -> bool {
        let Some(state) = view.dataset(dataset).filter(|_| self.options.skip_unchanged) else {
            return false;
        };
        let newest = state.newest().map(|newest| newest.guid);
        let has_all = |marks: &Marks| {
            let sent = marks.newest(state, Role::Sent).map(|sent| prefer(state, sent));
            // `written` counts from the newest snapshot, which another tool may have made after
            // ours.
            sent.is_some_and(|sent| {
                Some(sent.guid) == newest
                    || matches!(written_since(self.zfs, dataset, &sent.base), Ok(Some(0)))
            })
        };
        state.written == Some(0) && self.marks.values().all(has_all)
    }
}

fn unclear(dataset: &Dataset, value: &str) -> SendError {
    SendError::Unclear(dataset.to_string(), value.to_owned())
}

/// True if the value is inherited from the parent, for which it is reported already.
fn is_inherited(name: &Dataset, value: &str, view: &View) -> bool {
    let parent = name.parent().and_then(|parent| view.dataset(&parent));
    parent.is_some_and(|parent| choice(parent) == Choice::Unclear(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_on_and_off_are_understood() {
        let of = |rows: &[(&str, &str)]| {
            let rows = rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let state = State { properties: rows.collect(), ..State::default() };
            format!("{:?}", choice(&state))
        };
        assert_eq!(of(&[]), "Sent");
        assert_eq!(of(&[(EXCLUDE, "off")]), "Sent");
        assert_eq!(of(&[(EXCLUDE, "on")]), "LeftOut");
        assert_eq!(of(&[(SIMPLESNAPS, "on")]), "LeftOut");
        assert_eq!(of(&[(SIMPLESNAPS, "true")]), "Sent", "as simplesnap has it");
        assert_eq!(of(&[(SIMPLESNAPS, "on"), (EXCLUDE, "yes")]), "Unclear(\"yes\")");
        for value in ["true", "yes", "ON", "1", "On", " on", "", "-", "false", "no", "OFF", "0"] {
            assert_eq!(of(&[(EXCLUDE, value)]), format!("Unclear({value:?})"));
        }
    }
}
