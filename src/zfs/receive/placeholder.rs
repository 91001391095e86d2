//! Placeholders: empty datasets that packmule makes between the root and a received dataset.

use super::super::command::ZfsError;
use super::super::name::Dataset;
use super::super::pool::View;
use super::super::state::PLACEHOLDER;
use super::subtree::Subtree;

impl Subtree {
    /// Makes the missing datasets between the root and a dataset.
    pub(super) fn make_parents(&mut self, target: &Dataset) -> Result<(), ZfsError> {
        let ancestors = std::iter::successors(target.parent(), Dataset::parent);
        let missing: Vec<_> = ancestors
            .take_while(|parent| *parent != self.policy.into)
            .filter(|parent| self.view.dataset(parent).is_none())
            .collect();
        let mark = format!("{PLACEHOLDER}=on");
        for parent in missing.iter().rev() {
            let mut args = vec!["create", "-o", "canmount=off", "-o", "mountpoint=none"];
            args.extend(["-o", "readonly=on", "-o", &mark, parent.as_str()]);
            self.policy.zfs.ask(&args)?;
            self.made.push(parent.clone());
            self.refresh(parent)?;
        }
        Ok(())
    }

    /// Destroys the placeholders that were made for a stream that was not applied. Failures are
    /// ignored: a placeholder does no harm.
    pub(super) fn unmake_parents(&mut self) {
        while let Some(made) = self.made.pop() {
            if self.children(&made).is_empty() && self.refresh(&made).is_ok() {
                let state = self.view.dataset(&made);
                let is_bare = state.is_some_and(|s| s.placeholder && s.snapshots.is_empty());
                // Without -r, so that `zfs` fails if another process made something below it.
                if is_bare && self.policy.zfs.ask(&["destroy", made.as_str()]).is_ok() {
                    self.view.update(&made, &View::default());
                }
            }
        }
    }
}
