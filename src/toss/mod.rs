//! Acting on received packets.
//!
//! [`Toss::run`] lists a neighbour's packets, most urgent first, and hands each to `packet`,
//! which authenticates it and calls the file of its kind. A packet is removed after its effect is
//! durable, and stays when anything went wrong.

mod ack;
mod acknowledge;
mod answer;
mod area;
mod builtin;
mod cycle;
mod exec;
mod file;
mod freq;
mod notify;
mod packet;
mod staged;
mod trns;
mod zfs_waiting;

pub(crate) use answer::answer;

use crate::config::{Autotoss, Neighbour};
use crate::disk::DiskError;
use crate::handler::Search;
use crate::local::Local;
use crate::progress::Work;
use crate::spool::{Job, Lock, LockKind, Xx, files_at_once};
use builtin::Builtins;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::{Kind, Kinds};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a toss does and leaves out.
#[derive(Debug, Clone)]
pub struct Options {
    /// Packets above this niceness stay.
    pub nice: Niceness,
    /// Authenticate and report, but change nothing.
    pub dry_run: bool,
    /// Leave a mark for every packet, so that it is not received again.
    pub seen: bool,
    /// Acknowledge every packet after its effect.
    pub acknowledge: bool,
    /// Kinds to leave in the queue.
    pub skip: Kinds,
    /// Where handlers' programs are found.
    pub search: Search,
    /// Raised when the toss should end after the packet at hand.
    pub stop: Arc<AtomicBool>,
}

/// Kinds that our own queue is not tossed for.
const NOT_OWN: Kinds = Kinds::ALL.without(Kinds::of(&[Kind::Area, Kind::Ack]));

impl Default for Options {
    fn default() -> Self {
        Self {
            nice: Niceness::MAX,
            dry_run: false,
            seen: false,
            acknowledge: false,
            skip: Kinds::default(),
            search: Search::default(),
            stop: Arc::default(),
        }
    }
}

impl From<Autotoss> for Options {
    fn from(auto: Autotoss) -> Self {
        Self { seen: auto.doseen, acknowledge: auto.gen_ack, skip: auto.leave, ..Self::default() }
    }
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its effect is durable and it is gone.
    Done,
    /// It was left alone, as the options say.
    Skipped,
    /// It waits for something and will be tried again.
    Deferred,
    /// It waits for a person to act, which is told as a failure.
    Blocked,
    /// Something is wrong with it; it stays.
    Failed,
    /// A builtin looked at it, and says later when its turn is.
    Waiting,
}

/// What became of a neighbour's packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets that are done.
    pub done: u64,
    /// Packets left alone.
    pub skipped: u64,
    /// Packets that wait for something.
    pub deferred: u64,
    /// Packets that failed.
    pub failed: u64,
    /// Those of the failed that wait for a person to act on something else than the packet.
    pub blocked: u64,
    /// Packets that were not looked at because an end was asked for.
    pub left: u64,
    /// Another process is tossing; nothing was looked at.
    pub busy: bool,
}

impl Report {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Deferred => self.deferred += 1,
            Outcome::Blocked => {
                self.failed += 1;
                self.blocked += 1;
            }
            Outcome::Failed => self.failed += 1,
            Outcome::Waiting => {}
        }
    }

    /// Whether another toss may do more, without a packet that arrives.
    pub fn is_open(&self) -> bool {
        self.deferred > 0 || self.blocked > 0 || self.busy
    }

    /// Adds another neighbour's.
    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.left += other.left;
        self.skipped += other.skipped;
        self.deferred += other.deferred;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.busy |= other.busy;
    }
}

/// A packet that waits for a builtin.
struct Waiting<'n> {
    job: Job,
    /// What is left alone in its queue.
    skip: Kinds,
    /// Whose queue it is in.
    neighbour: &'n Neighbour,
}

/// A neighbour's queue. It is locked as long as something in it waits for a builtin.
struct Queue<'n> {
    neighbour: &'n Neighbour,
    lock: Option<Lock>,
    report: Report,
}

/// Acts on packets.
#[derive(Clone, Copy)]
pub struct Toss<'a> {
    /// Where answers and packets for others are queued.
    pub local: &'a Local,
    /// What to do.
    pub options: &'a Options,
}

impl Toss<'_> {
    /// Tosses what `neighbour` sent us, and for ourselves also what we posted to areas. What is wrong
    /// with packets, or with its directory, is logged and counted.
    pub fn run(&self, neighbour: &Neighbour) -> Report {
        let mut report = Report::default();
        self.run_all(&[neighbour], |_, each| report = each);
        report
    }

    /// Tosses what these neighbours sent us. A builtin that chooses the order of its packets does so
    /// over all their queues, as far as so many locks may be held: what comes by two ways may build on
    /// each other. `each` hears of a neighbour when nothing of it is left to be done.
    pub fn run_all<'n>(
        &self,
        neighbours: &[&'n Neighbour],
        mut each: impl FnMut(&'n Neighbour, Report),
    ) {
        let mut rest = neighbours;
        while !rest.is_empty() {
            rest = self.run_some(rest, &mut each);
        }
    }

    /// Tosses what the first of these neighbours sent us, until as many queues are held as may be.
    /// Returns the neighbours that were not looked at.
    fn run_some<'a, 'n>(
        &self,
        neighbours: &'a [&'n Neighbour],
        each: &mut impl FnMut(&'n Neighbour, Report),
    ) -> &'a [&'n Neighbour] {
        let builtins = Builtins::default();
        let (mut queues, mut waiting) = (Vec::new(), Vec::new());
        let mut rest = neighbours.iter();
        // Each holds its lock open; packets of more neighbours build on each other from toss to toss.
        while queues.len() < files_at_once()
            && let Some(neighbour) = rest.next()
        {
            let before = waiting.len();
            let mut queue = Queue { neighbour, lock: None, report: Report::default() };
            if self.look(&mut queue, &builtins, &mut waiting).is_err() {
                // It was logged where it was found, and nobody else has to wait for that.
                queue.report.failed += 1;
            }
            if waiting.len() > before {
                queues.push(queue);
            } else {
                each(neighbour, queue.report);
            }
        }
        self.take_turns(&builtins, &mut queues, &waiting);
        queues.into_iter().for_each(|queue| each(queue.neighbour, queue.report));
        rest.as_slice()
    }

    /// Acts on what waits for a builtin, which chooses the order.
    fn take_turns(&self, builtins: &Builtins, queues: &mut [Queue<'_>], waiting: &[Waiting<'_>]) {
        let mut turns = 0;
        let sizes = waiting.iter().map(|waiting| waiting.job.size);
        let packets = self.local.progress.each(Work::RxFile, sizes);
        while !self.is_stopped()
            && let Some((key, turn)) = builtins.next_turn()
        {
            turns += 1;
            let Waiting { job, skip, neighbour } = &waiting[key];
            let queue = queues.iter_mut().find(|queue| queue.neighbour.id == neighbour.id);
            let queue = queue.expect("the queue of what waits is kept");
            queue.report.count(self.packet(neighbour, job, *skip, turn));
            packets.done(job.size);
        }
        let failed = self.conclude(builtins);
        if let Some(queue) = queues.first_mut() {
            queue.report.failed += failed;
            if self.is_stopped() {
                queue.report.left += (waiting.len() - turns) as u64;
            }
        }
    }

    /// Acts on a neighbour's packets, but for those that a builtin is to choose among.
    fn look<'n>(
        &self,
        queue: &mut Queue<'n>,
        builtins: &Builtins,
        waiting: &mut Vec<Waiting<'n>>,
    ) -> Result<(), DiskError> {
        let id = &queue.neighbour.id;
        queue.lock = self.local.spool.lock(id, LockKind::Toss)?;
        if queue.lock.is_none() {
            queue.report.busy = true;
            return Ok(());
        }
        let is_own = *id == self.local.node.self_neighbour().id;
        self.look_at(Xx::Rx, self.options.skip, queue, builtins, waiting)?;
        if is_own {
            let skip = self.options.skip.union(NOT_OWN);
            self.look_at(Xx::Tx, skip, queue, builtins, waiting)?;
            if !self.options.dry_run {
                // Left by writers that were killed; they must not fill the disk.
                self.local.spool.remove_stale_tmp();
            }
        }
        Ok(())
    }

    fn look_at<'n>(
        &self,
        xx: Xx,
        skip: Kinds,
        queue: &mut Queue<'n>,
        builtins: &Builtins,
        waiting: &mut Vec<Waiting<'n>>,
    ) -> Result<(), DiskError> {
        let listing = self.local.spool.listing(&queue.neighbour.id, xx)?.by_urgency();
        queue.report.failed += listing.bad.len() as u64;
        let packets =
            self.local.progress.each(Work::RxFile, listing.jobs.iter().map(|job| job.size));
        for job in listing.jobs {
            if self.is_stopped() {
                queue.report.left += 1;
                continue;
            }
            let turn = builtin::Turn::Look(waiting.len(), builtins);
            let outcome = self.packet(queue.neighbour, &job, skip, turn);
            queue.report.count(outcome);
            packets.done(job.size);
            if outcome == Outcome::Waiting {
                waiting.push(Waiting { job, skip, neighbour: queue.neighbour });
            }
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }
}
