//! Acting on received packets.
//!
//! [`Toss::run`] lists a neighbour's packets, most urgent first, and hands each to [`packet`],
//! which authenticates it and calls the file of its kind. A packet is removed after its effect is
//! durable, and stays when anything went wrong.

mod ack;
mod acknowledge;
mod answer;
mod area;
mod builtin;
mod confined;
mod cycle;
mod exec;
mod file;
mod freq;
mod notify;
mod packet;
mod staged;
mod trns;

pub use acknowledge::AcknowledgeError;
pub use answer::answer;
pub use confined::{Below, PathError};

use crate::config::{Autotoss, Neighbour};
use crate::handler::Search;
use crate::outbound::Outbox;
use crate::spool::{DiskError, LockKind, Xx};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Kind;
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
    pub skip: Skip,
    /// Where handlers' programs are found.
    pub search: Search,
    /// Raised when the toss should end after the packet at hand.
    pub stop: Arc<AtomicBool>,
}

/// Kinds of packets that are left in the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Skip {
    /// Files.
    pub file: bool,
    /// File requests.
    pub freq: bool,
    /// Commands.
    pub exec: bool,
    /// Packets for others.
    pub trns: bool,
    /// Area messages.
    pub area: bool,
    /// Acknowledgements.
    pub ack: bool,
}

impl Skip {
    /// All but what our own queue is tossed for.
    const OWN_QUEUE: Self =
        Self { file: true, freq: true, exec: true, trns: true, area: false, ack: false };

    fn leaves(self, kind: Kind) -> bool {
        match kind {
            Kind::File => self.file,
            Kind::Freq => self.freq,
            Kind::Exec | Kind::ExecFat => self.exec,
            Kind::Trns => self.trns,
            Kind::Area => self.area,
            Kind::Ack => self.ack,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            file: self.file || other.file,
            freq: self.freq || other.freq,
            exec: self.exec || other.exec,
            trns: self.trns || other.trns,
            area: self.area || other.area,
            ack: self.ack || other.ack,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nice: Niceness::MAX,
            dry_run: false,
            seen: false,
            acknowledge: false,
            skip: Skip::default(),
            search: Search::default(),
            stop: Arc::default(),
        }
    }
}

impl From<Autotoss> for Options {
    fn from(auto: Autotoss) -> Self {
        let skip = Skip {
            file: auto.nofile,
            freq: auto.nofreq,
            exec: auto.noexec,
            trns: auto.notrns,
            area: auto.noarea,
            ack: auto.noack,
        };
        Self { seen: auto.doseen, acknowledge: auto.gen_ack, skip, ..Self::default() }
    }
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is durable and it is gone.
    Done,
    /// It was left alone, as the options say.
    Skipped,
    /// It waits for something and will be tried again.
    Deferred,
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
    /// Another process is tossing; nothing was looked at.
    pub busy: bool,
}

impl Report {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Deferred => self.deferred += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Waiting => {}
        }
    }

    /// Adds another neighbour's.
    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.skipped += other.skipped;
        self.deferred += other.deferred;
        self.failed += other.failed;
        self.busy |= other.busy;
    }
}

/// Acts on packets.
#[derive(Clone, Copy)]
pub struct Toss<'a> {
    /// Where answers and packets for others are queued.
    pub outbox: Outbox<'a>,
    /// What to do.
    pub options: &'a Options,
}

impl Toss<'_> {
    /// Tosses what `neighbour` sent us, and for ourselves also what we posted to areas.
    ///
    /// # Errors
    /// When its directory can not be locked or listed. What is wrong with single packets is logged
    /// and counted.
    pub fn run(&self, neighbour: &Neighbour) -> Result<Report, DiskError> {
        let mut report = Report::default();
        let Some(_lock) = self.outbox.spool.lock(&neighbour.id, LockKind::Toss)? else {
            report.busy = true;
            return Ok(report);
        };
        self.queue(neighbour, Xx::Rx, self.options.skip, &mut report)?;
        if neighbour.id == self.outbox.node.self_neighbour().id {
            let skip = self.options.skip.or(Skip::OWN_QUEUE);
            self.queue(neighbour, Xx::Tx, skip, &mut report)?;
            if !self.options.dry_run {
                // Left by writers that were killed; they must not fill the disk.
                self.outbox.spool.remove_stale_tmp()?;
            }
        }
        Ok(report)
    }

    fn queue(
        &self,
        neighbour: &Neighbour,
        xx: Xx,
        skip: Skip,
        report: &mut Report,
    ) -> Result<(), DiskError> {
        let jobs = self.outbox.spool.jobs(&neighbour.id, xx)?;
        let builtins = builtin::Builtins::default();
        for (key, job) in jobs.iter().enumerate() {
            if self.options.stop.load(Ordering::Relaxed) {
                break;
            }
            let turn = builtin::Turn::Look(key, &builtins);
            report.count(self.packet(neighbour, job, skip, turn));
        }
        // What waits for a builtin was only looked at; it chooses the order.
        while let Some((key, turn)) = builtins.next_turn() {
            if self.options.stop.load(Ordering::Relaxed) {
                break;
            }
            report.count(self.packet(neighbour, &jobs[key], skip, turn));
        }
        report.failed += self.conclude(&builtins);
        Ok(())
    }
}
