//! The asynchronous runtime, which signals can stop.

use super::stop::{Stop, Stopper, stop};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;

/// Why the runtime could not start.
#[derive(Debug, thiserror::Error)]
#[error("starting: {0}")]
pub(crate) struct RuntimeError(#[from] io::Error);

/// Runs `work` on one thread (and blocking work on others). The first SIGINT or SIGTERM asks it to
/// stop; the second one kills the process, as by default.
pub(super) fn block_on<T>(work: impl AsyncFnOnce(Stop) -> T) -> Result<T, RuntimeError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (stopper, stop) = stop();
        let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let watch = tokio::spawn(watch(signals, stopper));
        let result = work(stop).await;
        watch.abort();
        Ok(result)
    })
}

async fn watch((mut interrupt, mut terminate): (Signal, Signal), stopper: Stopper) {
    let mut asked = false;
    loop {
        let signal = tokio::select! {
            _ = interrupt.recv() => SIGINT,
            _ = terminate.recv() => SIGTERM,
        };
        if asked {
            // If this fails, there is no other way to end the process.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
        asked = true;
        stopper.stop();
    }
}

/// Receives each SIGHUP.
pub(super) fn hangups() -> Result<Signal, RuntimeError> {
    Ok(signal(SignalKind::hangup())?)
}

/// Runs blocking work on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Happens only when the runtime shuts down, and then no task waits for the result.
            Err(_) => std::future::pending().await,
        },
    }
}
