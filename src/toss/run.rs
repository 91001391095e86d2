//! Runs one toss over the queues of neighbours.

use super::builtin::{Builtins, Turn};
use super::options::Toss;
use super::outcome::Stays;
use super::report::Report;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::outbound::Moment;
use crate::progress::Work;
use crate::spool::{Job, Lock, LockKind, Xx, files_at_once};
use packmule_protocol::packet::{Kind, Kinds};

/// Kinds that are skipped in this node's own queue.
const NOT_OWN: Kinds = Kinds::ALL.without(Kinds::of(&[Kind::Area, Kind::Ack]));

impl Toss<'_> {
    /// Tosses the packets of `neighbour`; if that is this node itself, its own posts to areas. Logs
    /// and counts failures of packets and of the directory.
    pub fn run(&self, neighbour: &Neighbour) -> Report {
        let mut report = Report::default();
        self.run_all(&[neighbour], |_, each| report = each);
        report
    }

    /// Tosses the packets of these neighbours. A builtin that chooses the order of its packets does
    /// so over all their queues, as far as the limit for locks allows, since packets that arrive on
    /// two routes may depend on each other. Calls `each` for a neighbour when all its packets are
    /// done.
    pub fn run_all<'n>(
        &self,
        neighbours: &[&'n Neighbour],
        mut each: impl FnMut(&'n Neighbour, Report),
    ) {
        let mut rest = neighbours;
        while !rest.is_empty() {
            rest = self.run_some(rest, &mut each);
        }
        if !self.options.dry_run && self.local.ledger.exists() {
            self.local.speak(Moment::Tossed);
        }
    }

    /// Tosses the packets of the first of these neighbours, as many as the limit for locks allows.
    /// Returns the remaining neighbours.
    fn run_some<'a, 'n>(
        &self,
        neighbours: &'a [&'n Neighbour],
        each: &mut impl FnMut(&'n Neighbour, Report),
    ) -> &'a [&'n Neighbour] {
        let builtins = Builtins::default();
        let (mut queues, mut waiting) = (Vec::new(), Vec::new());
        let mut rest = neighbours.iter();
        // Each queue keeps a lock file open. Beyond the limit, packets that depend on each other
        // need several tosses.
        while queues.len() < files_at_once()
            && let Some(neighbour) = rest.next()
        {
            let before = waiting.len();
            let mut queue = Queue { neighbour, lock: None, report: Report::default() };
            if self.look(&mut queue, &builtins, &mut waiting).is_err() {
                // The failure is logged already, and does not stop the other queues.
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

    /// Processes the packets that wait for builtins, in the order that those choose.
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

    /// Processes a neighbour's packets, except those whose order a builtin chooses.
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
                // Removes files of writers that were killed, because they would fill the disk.
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
    /// The kinds to skip in its queue.
    skip: Kinds,
    /// The neighbour that has the queue.
    neighbour: &'n Neighbour,
}

/// A neighbour's queue. It stays locked while a packet in it waits for a builtin.
struct Queue<'n> {
    neighbour: &'n Neighbour,
    lock: Option<Lock>,
    report: Report,
}
