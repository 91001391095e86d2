//! The temporary files of this process, known by name so that a signal can remove them.
//!
//! All of them are created, renamed and removed under one lock. [`abandon`] takes it for good:
//! after that no file of this process appears, and none gets its name.

use crate::disk::Result;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

struct State {
    files: BTreeSet<PathBuf>,
    /// How many [`Publishing`] there are.
    publishing: usize,
}

static STATE: Mutex<State> = Mutex::new(State { files: BTreeSet::new(), publishing: 0 });
static PUBLISHED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates a temporary file at `path` by `create`.
pub(super) fn create<T>(path: &Path, create: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut state = state();
    let created = create()?;
    state.files.insert(path.to_owned());
    Ok(created)
}

/// Gives the file at `path` another name, or removes it, by `leave`. If that fails the file stays
/// known.
pub(super) fn leave<T>(path: &Path, leave: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut state = state();
    let left = leave()?;
    state.files.remove(path);
    Ok(left)
}

/// Held while packets get their names that belong together: a signal waits for all of them.
#[derive(Debug)]
pub(crate) struct Publishing(());

impl Publishing {
    /// Begins to give packets their names.
    pub(crate) fn begin() -> Self {
        state().publishing += 1;
        Self(())
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        state().publishing -= 1;
        PUBLISHED.notify_all();
    }
}

/// Removes all temporary files of this process, after waiting for what is being published. Whoever
/// creates or renames one from then on waits for ever: the process must end.
pub(crate) fn abandon() {
    let mut state = state();
    while state.publishing > 0 {
        state = PUBLISHED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    for path in &state.files {
        // What can not be removed is swept as stale later.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(state);
}
