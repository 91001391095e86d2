//! Stops the disk at a chosen operation of the current thread, for tests.

use std::cell::Cell;
use std::io;

/// The fault at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is killed: this operation and all later ones have no effect.
    Kill,
    /// This operation fails, once.
    Fail(rustix::io::Errno),
}

/// A kill, a full disk and a broken one.
pub(crate) const ALL: [Fault; 3] =
    [Fault::Kill, Fault::Fail(rustix::io::Errno::NOSPC), Fault::Fail(rustix::io::Errno::IO)];

/// Runs `check` with each fault at each operation that it reaches. `check` prepares the state,
/// runs the work by [`with`] the fault, checks the result, and returns true if the operation was
/// reached.
pub(crate) fn at_each_step(check: impl Fn(Fault, usize) -> bool) {
    for fault in ALL {
        let steps = (0..).take_while(|at| check(fault, *at)).count();
        assert!(steps > 0, "the work changes the disk");
    }
}

thread_local! {
    static PLAN: Cell<Option<(Fault, usize)>> = const { Cell::new(None) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Runs `work` with the fault at operation number `at`, counted from 0. Returns its result,
/// and whether the operation was reached.
pub(crate) fn with<T>(fault: Fault, at: usize, work: impl FnOnce() -> T) -> (T, bool) {
    PLAN.set(Some((fault, at)));
    COUNT.set(0);
    let result = work();
    PLAN.set(None);
    (result, COUNT.get() > at)
}

pub(super) fn step() -> io::Result<()> {
    let Some((fault, at)) = PLAN.get() else { return Ok(()) };
    let now = COUNT.replace(COUNT.get() + 1);
    match fault {
        Fault::Kill if now >= at => Err(io::Error::other("killed")),
        Fault::Fail(errno) if now == at => Err(errno.into()),
        _ => Ok(()),
    }
}
