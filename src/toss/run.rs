//! One toss over the queues of neighbours.

use super::builtin::{Builtins, Turn};
use super::options::Toss;
use super::outcome::Stays;
use super::report::Report;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::progress::Work;
use crate::spool::{Job, Lock, LockKind, Xx, files_at_once};
use packmule_protocol::packet::{Kind, Kinds};

/// Kinds that our own queue is not tossed for.
const NOT_OWN: Kinds = Kinds::ALL.without(Kinds::of(&[Kind::Area, Kind::Ack]));

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
            let turn = Turn::Look(waiting.len(), builtins);
            let outcome = self.packet(queue.neighbour, &job, skip, turn);
            queue.report.count(outcome);
            packets.done(job.size);
            if outcome == Err(Stays::Waiting) {
                waiting.push(Waiting { job, skip, neighbour: queue.neighbour });
            }
        }
        Ok(())
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
