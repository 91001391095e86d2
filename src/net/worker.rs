//! Runs the disk work of a session on a blocking thread: one batch at a time, in order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};

/// Time limit for a batch. After it, the results so far are returned, because the peer waits for
/// them.
const BATCH: Duration = Duration::from_millis(50);

/// Does blocking work.
pub(super) trait Work: Send + 'static {
    /// One piece of work.
    type Task: Send + 'static;
    /// The result of several pieces of work.
    type Results: Default + Send + 'static;

    fn work(&mut self, task: Self::Task, results: &mut Self::Results);

    /// Ends the batch: does once what all its pieces of work need, such as a sync.
    fn conclude(&mut self, _results: &mut Self::Results) {}
}

/// The work, the tasks that it did not reach, and the results of the others.
type Batch<W> = (W, VecDeque<<W as Work>::Task>, <W as Work>::Results);

/// Lends a [`Work`] to a blocking thread while there are tasks. Collects the next batch while one is
/// being worked on.
pub(super) struct Worker<W: Work> {
    idle: Option<W>,
    running: Option<JoinHandle<Batch<W>>>,
    tasks: VecDeque<W::Task>,
}

impl<W: Work> Worker<W> {
    pub(super) fn new(work: W) -> Self {
        Self { idle: Some(work), running: None, tasks: VecDeque::new() }
    }

    pub(super) fn push(&mut self, task: W::Task) {
        self.tasks.push_back(task);
    }

    /// Starts a batch with the collected tasks, unless one is running.
    pub(super) fn start(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        if let Some(mut work) = self.idle.take() {
            let mut tasks = std::mem::take(&mut self.tasks);
            self.running = Some(spawn_blocking(move || {
                let mut results = W::Results::default();
                let start = Instant::now();
                while let Some(task) = tasks.pop_front() {
                    work.work(task, &mut results);
                    if start.elapsed() >= BATCH {
                        break;
                    }
                }
                work.conclude(&mut results);
                (work, tasks, results)
            }));
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The results of the running batch. It can be cancelled and called again. Waits for ever if no
    /// batch is running.
    pub(super) async fn results(&mut self) -> W::Results {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let finished = running.await;
        self.running = None;
        match finished {
            Ok((work, mut undone, results)) => {
                self.idle = Some(work);
                undone.append(&mut self.tasks);
                self.tasks = undone;
                results
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await,
            },
        }
    }
}
