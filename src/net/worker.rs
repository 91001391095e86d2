//! Disk work of a session, on a blocking thread: one batch at a time, in order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};

/// The results of a batch are given after so long, done or not: the peer waits for what was done.
const BATCH: Duration = Duration::from_millis(50);

/// Something that does blocking work.
pub(super) trait Work: Send + 'static {
    /// One piece of work.
    type Task: Send + 'static;
    /// What comes of some of them.
    type Results: Default + Send + 'static;

    fn work(&mut self, task: Self::Task, results: &mut Self::Results);

    /// Ends the batch: what several pieces of work waited for is done for all of them.
    fn conclude(&mut self, _results: &mut Self::Results) {}
}

/// The work that was lent, the tasks it did not come to, and what came of the others.
type Batch<W> = (W, VecDeque<<W as Work>::Task>, <W as Work>::Results);

/// A [`Work`] that is lent to a blocking thread while there is something to do. While a batch is
/// worked on, the next one collects.
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

    /// Starts on what has collected, unless a batch is being worked on.
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

    /// The results of the batch that is being worked on. Can be cancelled and asked again. Waits for
    /// ever when there is none.
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
