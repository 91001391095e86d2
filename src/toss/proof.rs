//! Receipts: partners are told what became of their packets, and what is done is not done again.

use super::options::Toss;
use super::outcome::{Stays, failed};
use crate::config::Neighbour;
use crate::ledger::LedgerError;
use crate::log::Record;
use crate::log::event::Rx;
use crate::spool::{Job, Xx};
use packmule_protocol::packet::Kind;
use packmule_protocol::statement::{Outcome, Receipt};

impl Toss<'_> {
    /// Whether the effect of a partner's packet is durable since an earlier toss. Its author gets
    /// another receipt then, if it may lack the first.
    pub(super) fn is_done(
        &self,
        rx: &Rx<'_>,
        author: &Neighbour,
        directory: &Neighbour,
        job: &Job,
    ) -> Result<bool, Stays> {
        if job.xx != Xx::Rx || !self.local.is_partner(author) {
            return Ok(false);
        }
        let found_out = || {
            let mut journal = self.local.ledger.journal(&author.id);
            if self.options.dry_run {
                return journal.is_done(&job.hash);
            }
            let done = journal.recognise(&job.hash, self.local.now())?;
            if done {
                self.tell_carrier(author, directory, job)?;
            }
            Ok(done)
        };
        found_out().map_err(|error| failed(self, rx.receipt_fault(), &error))
    }

    /// Writes receipts for a packet whose effect is durable: to its author, and to the neighbour that
    /// brought it. Statements and acknowledgements get none, nor does what came in an area.
    pub(super) fn write_receipts(
        &self,
        rx: &Rx<'_>,
        author: &Neighbour,
        directory: &Neighbour,
        job: &Job,
        kind: Kind,
    ) -> Result<(), Stays> {
        let outcome = match kind {
            Kind::Ack | Kind::Area => return Ok(()),
            // It is not done here: if it comes again it has to be passed on again.
            Kind::Trns => Outcome::Got,
            _ => Outcome::Done { again: false },
        };
        if self.options.dry_run || job.xx != Xx::Rx {
            return Ok(());
        }
        let write = || {
            if self.local.is_partner(author) {
                self.append(author, job, outcome)?;
            }
            self.tell_carrier(author, directory, job)
        };
        write().map_err(|error| failed(self, rx.receipt_fault(), &error))
    }

    /// The neighbour in whose directory a packet lies is told that it left it.
    fn tell_carrier(
        &self,
        author: &Neighbour,
        directory: &Neighbour,
        job: &Job,
    ) -> Result<(), LedgerError> {
        let is_other = directory.id != author.id;
        if is_other && self.local.is_partner(directory) {
            self.append(directory, job, Outcome::Got)?;
        }
        Ok(())
    }

    fn append(&self, to: &Neighbour, job: &Job, outcome: Outcome) -> Result<(), LedgerError> {
        let receipt = Receipt { packet: job.hash, at: self.local.now(), outcome };
        self.local.ledger.journal(&to.id).append(&[receipt])
    }
}

/// What is logged of what is done.
impl Rx<'_> {
    /// The packet was done before, as the ledger says, and only has to go.
    pub(super) fn done_before(&self) -> Record {
        self.record("rx-done", format!("Tossing {}: was done before", self.path()))
    }

    /// Whether the packet is done, or that it is, can not be read or written.
    fn receipt_fault(&self) -> Record {
        self.record("rx-receipt", format!("Tossing {}: its receipt", self.path()))
    }
}
