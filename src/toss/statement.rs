//! A statement of a partner: what it says is believed, or not, and acted on.

use super::arrival::{Arrival, Reader};
use super::options::Toss;
use super::outcome::{Acted, Effect, Stays, failed};
use crate::config::Proof;
use crate::ledger::{Accepted, Believed};
use crate::log::Record;
use crate::log::event::Rx;
use packmule_protocol::statement::{PAYLOAD_MAX, Statement};
use std::io::Read;

/// Two nodes claim to be the partner.
#[derive(Debug, thiserror::Error)]
#[error(
    "two nodes claim to be {0}: nothing is believed until packmule status -accept {0} LEDGER says which \
     is right"
)]
struct Disputed(String);

impl Toss<'_> {
    pub(super) fn statement<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let (rx, log) = (&arrival.rx, &self.local.log);
        let Some(author) = arrival.author.neighbour.filter(|one| one.proof != Proof::Never) else {
            log.info(rx.statement_unwanted());
            return Ok(Effect::default());
        };
        let payload = self.authenticated_payload(arrival, reader)?;
        if self.options.dry_run {
            return Ok(Effect::default());
        }
        let statement = match Statement::from_bytes(&payload) {
            Ok(statement) => statement,
            Err(error) => {
                // It is authentic and will never be of use: keeping it would fail every toss.
                log.error(rx.statement_fault(), &error);
                return Ok(Effect::default());
            }
        };
        let number = statement.head.number;
        match self.local.ledger.accept(&author.id, &statement, self.local.now()) {
            Ok(Accepted::Believed(believed)) => self.tell(arrival, number, &believed),
            Ok(Accepted::Old) => log.info(rx.statement_old(number)),
            Ok(Accepted::Conflict) => {
                log.error(rx.statement_fault(), &Disputed(author.name.clone()));
            }
            Err(error) => return Err(failed(self, rx.statement_fault(), &error)),
        }
        Ok(Effect::default())
    }

    /// The payload, if it is as short as that of a statement; else its beginning.
    fn authenticated_payload<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
    ) -> Result<Vec<u8>, Stays> {
        let body = arrival.authenticated(reader);
        let body = body.map_err(|error| self.unreadable(&arrival.rx, &error))?;
        let mut payload = Vec::new();
        body.take(PAYLOAD_MAX as u64 + 1)
            .read_to_end(&mut payload)
            .map_err(|error| failed(self, arrival.rx.statement_fault(), &error))?;
        Ok(payload)
    }

    fn tell(&self, arrival: &Arrival<'_>, number: u64, believed: &Believed) {
        let (rx, log) = (&arrival.rx, &self.local.log);
        if believed.anew {
            log.info(rx.statement_anew());
        }
        if believed.renewed {
            log.info(rx.statement_renewed());
        }
        let (done, failed) = (believed.settled.done.len(), believed.settled.failed.len());
        let offered = believed.offered.values().sum();
        log.info(rx.statement(number, done, failed, offered));
    }
}

/// What is logged of a statement.
impl Rx<'_> {
    fn statement_record(&self, what: &str) -> Record {
        let text = format!("Statement from {}: {what}", self.from.name);
        self.record("rx-statement", text).field("Type", "statement")
    }

    /// A statement was believed.
    fn statement(&self, number: u64, done: usize, failed: usize, offered: u64) -> Record {
        let what = format!("{done} packets are done, {failed} failed, {offered} are offered again");
        self.statement_record(&what).field("Number", number)
    }

    /// A statement was overtaken by another one.
    fn statement_old(&self, number: u64) -> Record {
        self.statement_record("a newer one was read before").field("Number", number)
    }

    /// A statement is not wanted: `proof` is false.
    fn statement_unwanted(&self) -> Record {
        self.statement_record("the configuration wants none from there")
    }

    /// The partner was set up anew: what it had proven is void.
    fn statement_anew(&self) -> Record {
        self.statement_record("it was set up anew, so nothing is proven any more")
    }

    /// Our own ledger is an old copy, and goes on as a new one.
    fn statement_renewed(&self) -> Record {
        self.statement_record(
            "it knows more of this spool than the spool does, so this is a new ledger",
        )
    }

    /// A statement can not be used, as [`Log::error`](crate::log::Log::error) says why.
    fn statement_fault(&self) -> Record {
        self.statement_record("not used")
    }
}
