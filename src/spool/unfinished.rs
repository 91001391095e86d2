//! The list of this process's temporary files, so that a signal can remove them.
//!
//! One lock guards their creation, renaming and removal. [`abandon`] takes it and never releases it:
//! after that, this process creates no file and renames none.

use crate::disk::Result;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

struct State {
    files: BTreeSet<PathBuf>,
    /// Number of [`Publishing`] guards.
    publishing: usize,
}

static STATE: Mutex<State> = Mutex::new(State { files: BTreeSet::new(), publishing: 0 });
static PUBLISHED: Condvar = Condvar::new();
static NONE: AtomicBool = AtomicBool::new(true);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// True while this process has no temporary file. A signal handler may read it; the rest of this
/// module takes a lock.
pub(crate) fn none() -> &'static AtomicBool {
    &NONE
}

impl State {
    fn insert(&mut self, path: &Path) {
        NONE.store(false, SeqCst);
        self.files.insert(path.to_owned());
    }

    fn remove(&mut self, path: &Path) {
        self.files.remove(path);
        NONE.store(self.files.is_empty(), SeqCst);
    }
}

/// Creates a temporary file at `path` by `create`.
pub(super) fn create<T>(path: &Path, create: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut state = state();
    state.insert(path);
    create().inspect_err(|_| state.remove(path))
}

/// Calls `leave`, which renames or removes the file at `path`. If it fails, the file stays on the
/// list.
pub(super) fn leave<T>(path: &Path, leave: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut state = state();
    let left = leave()?;
    state.remove(path);
    Ok(left)
}

/// A guard for publishing several packets together. A signal waits until it is dropped.
#[derive(Debug)]
pub(crate) struct Publishing(());

impl Publishing {
    /// Starts to publish packets.
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

/// Waits until packets being published have their names, then removes all temporary files of this
/// process. A thread that creates or renames one later blocks forever: the process must end.
pub(crate) fn abandon() {
    let mut state = state();
    while state.publishing > 0 {
        state = PUBLISHED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    for path in &state.files {
        // A later toss removes files that stay here as stale.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(state);
}
