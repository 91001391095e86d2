//! Disk work of a session, on a blocking thread: one batch at a time, in order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};

/// A batch is answered after so long, done or not: the peer waits for what was done.
const BATCH: Duration = Duration::from_millis(50);

/// Something that does blocking work.
pub(super) trait Work: Send + 'static {
    /// One piece of work.
    type Job: Send + 'static;
    /// What comes of some of them.
    type Answer: Default + Send + 'static;

    fn work(&mut self, job: Self::Job, answer: &mut Self::Answer);

    /// Ends the batch: what several pieces of work waited for is done for all of them.
    fn conclude(&mut self, _answer: &mut Self::Answer) {}
}

/// The work that was lent, the jobs it did not come to, and what came of the others.
type Batch<W> = (W, VecDeque<<W as Work>::Job>, <W as Work>::Answer);

/// A [`Work`] that is lent to a blocking thread while there is something to do. While a batch is
/// worked on, the next one collects.
pub(super) struct Worker<W: Work> {
    idle: Option<W>,
    running: Option<JoinHandle<Batch<W>>>,
    jobs: VecDeque<W::Job>,
}

impl<W: Work> Worker<W> {
    pub(super) fn new(work: W) -> Self {
        Self { idle: Some(work), running: None, jobs: VecDeque::new() }
    }

    pub(super) fn push(&mut self, job: W::Job) {
        self.jobs.push_back(job);
    }

    /// Starts on what has collected, unless a batch is being worked on.
    pub(super) fn start(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        if let Some(mut work) = self.idle.take() {
            let mut jobs = std::mem::take(&mut self.jobs);
            self.running = Some(spawn_blocking(move || {
                let mut answer = W::Answer::default();
                let start = Instant::now();
                while let Some(job) = jobs.pop_front() {
                    work.work(job, &mut answer);
                    if start.elapsed() >= BATCH {
                        break;
                    }
                }
                work.conclude(&mut answer);
                (work, jobs, answer)
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
            Ok((work, mut undone, answer)) => {
                self.idle = Some(work);
                undone.append(&mut self.jobs);
                self.jobs = undone;
                answer
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await,
            },
        }
    }
}
