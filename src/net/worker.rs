//! Disk work of a session, on a blocking thread: one batch at a time, in order.

use tokio::task::{JoinHandle, spawn_blocking};

/// Something that does blocking work in batches.
pub(super) trait Work: Send + 'static {
    /// One piece of work.
    type Job: Send + 'static;
    /// What comes of a batch.
    type Answer: Send + 'static;

    fn work(&mut self, jobs: Vec<Self::Job>) -> Self::Answer;
}

/// A [`Work`] that is lent to a blocking thread while there is something to do. While a batch is
/// worked on, the next one collects.
pub(super) struct Worker<W: Work> {
    idle: Option<W>,
    running: Option<JoinHandle<(W, W::Answer)>>,
    jobs: Vec<W::Job>,
}

impl<W: Work> Worker<W> {
    pub(super) fn new(work: W) -> Self {
        Self { idle: Some(work), running: None, jobs: Vec::new() }
    }

    pub(super) fn push(&mut self, job: W::Job) {
        self.jobs.push(job);
    }

    /// Starts on what has collected, unless a batch is being worked on.
    pub(super) fn start(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        if let Some(mut work) = self.idle.take() {
            let jobs = std::mem::take(&mut self.jobs);
            self.running = Some(spawn_blocking(move || {
                let answer = work.work(jobs);
                (work, answer)
            }));
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The answer to the batch that is being worked on. Can be cancelled and asked again. Waits for
    /// ever when there is none.
    pub(super) async fn answer(&mut self) -> W::Answer {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let finished = running.await;
        self.running = None;
        match finished {
            Ok((work, answer)) => {
                self.idle = Some(work);
                answer
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await,
            },
        }
    }
}
