//! Statements: what we tell partners about their packets, and when.
//!
//! A partner is a neighbour that the configuration asks for proof, or that sent a statement. Nobody
//! else gets one. doc/statement.md has the format.

use super::error::QueueError;
use super::queue::{Parcel, Queued};
use super::route::{Destination, Via};
use crate::age;
use crate::config::{Neighbour, Proof};
use crate::ledger::Spoken;
use crate::local::Local;
use crate::log::event;
use crate::progress::Work;
use crate::spool::Xx;
use packmule_protocol::base32;
use packmule_protocol::id::{PacketHash, blake2b_256};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::PlainHeader;
use packmule_protocol::statement::{Head, LIST_MAX, Lists, PATH, Slice, Statement, Waiting};

/// Bytes that a packet with a statement has at least.
const SMALLEST: u64 = 4096;
/// Bytes that a layer adds, about.
const LAYER: u64 = 512;
/// A statement that is older than so many seconds is made anew before packets leave.
const STALE: u64 = 3600;

/// When statements are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After packets were tossed: if something changed.
    Tossed,
    /// Before packets leave: also if the last one is old, or its receipts did not arrive.
    Leaving,
}

impl Local {
    /// Queues statements for the partners that have to be told something, and offers packets again of
    /// which nobody said anything for too long. What fails is logged; returns how often.
    pub(crate) fn speak(&self, moment: Moment) -> u64 {
        let own = self.node.self_neighbour().id;
        let mut failed = 0;
        for to in self.node.neighbours.values().filter(|to| to.id != own) {
            if !self.is_partner(to) {
                continue;
            }
            if moment == Moment::Leaving {
                failed += self.offer_silent(to);
            }
            if self.node.keys.is_some()
                && let Err(error) = self.speak_to(to, moment)
            {
                self.log.error(event::statement_unsent(to.peer()), &error);
                failed += 1;
            }
        }
        failed
    }

    /// Whether a neighbour's packets get receipts, and it gets statements.
    pub(crate) fn is_partner(&self, neighbour: &Neighbour) -> bool {
        match neighbour.proof {
            Proof::Never => false,
            Proof::Asked(_) => true,
            Proof::Unset => self.ledger.has_heard(&neighbour.id),
        }
    }

    fn offer_silent(&self, to: &Neighbour) -> u64 {
        let Some(terms) = to.proof.asked() else { return 0 };
        match self.ledger.offer_silent(&to.id, terms.retry, self.now()) {
            Ok(offers) => {
                let packets = offers.values().sum();
                if packets > 0 {
                    self.log.info(event::offered_again(to.id, &to.name, packets));
                }
                0
            }
            Err(error) => {
                self.log.error(event::offered_again(to.id, &to.name, 0), &error);
                1
            }
        }
    }

    fn speak_to(&self, to: &Neighbour, moment: Moment) -> Result<(), QueueError> {
        let mut lists = self.waiting_of(to)?;
        self.ledger.add_under_way(&to.id, &mut lists)?;
        let position = self.ledger.journal(&to.id).position()?;
        let (digest, now) = (digest(&lists, position), self.now());
        let before = self.ledger.spoken(&to.id)?;
        let heard = self.ledger.heard(&to.id)?;
        let owes = heard.is_some_and(|heard| position > heard.theirs);
        let has_to = before.as_ref().is_none_or(|before| {
            let old = age::seconds(now, before.at).is_none_or(|age| age > STALE);
            digest != before.digest || moment == Moment::Leaving && (old || owes)
        });
        if !has_to {
            return Ok(());
        }
        let micros = u64::try_from(now).unwrap_or(0).saturating_mul(1_000_000);
        let mut packets = Vec::new();
        for statement in self.ledger.statements(&to.id, lists, &[], micros)? {
            let queued = self.queue_statement(to, &statement)?;
            self.log.info(event::statement_sent(to.peer(), statement.head.number, queued.packet));
            packets.push((to.via.first().copied().unwrap_or(to.id), queued.packet));
        }
        self.ledger.note_spoken(&to.id, &Spoken { at: now, digest, packets })?;
        // What is still waiting says less than what was queued now.
        for (hop, packet) in before.iter().flat_map(|before| &before.packets) {
            self.spool.remove_packet(hop, Xx::Tx, packet)?;
        }
        Ok(())
    }

    fn queue_statement(&self, to: &Neighbour, said: &Statement) -> Result<Queued, QueueError> {
        let payload = said.to_bytes();
        let nice = Niceness::FLASH;
        let layers = to.via.len() as u64 + 1;
        let len = payload.len() as u64 + LAYER * layers;
        let parcel = Parcel {
            plain: PlainHeader::ack(&PacketHash(PATH), nice),
            nice,
            minimum: len.next_power_of_two().max(SMALLEST),
            maximum: None,
            size: Some(payload.len() as u64),
            shown: to.name.clone(),
            work: Work::Tx,
            batch: None,
            follow: None,
        };
        self.queue(Destination::Node(to), &Via::Configured, &parcel, &payload[..])
    }

    /// The packets that `node` wrote or put here, and that lie here not done.
    fn waiting_of(&self, node: &Neighbour) -> Result<Lists, QueueError> {
        let mut lists = Lists { whole: true, ..Lists::default() };
        for directory in self.node.neighbours.values() {
            let mut listing = self.spool.listing(&directory.id, Xx::Rx)?;
            listing.jobs.sort_by_key(|job| job.modified);
            let theirs = |sender| directory.id == node.id || sender == node.id;
            for job in listing.jobs.iter().filter(|job| theirs(job.header.sender)) {
                if lists.waiting.len() == LIST_MAX {
                    lists.whole = false;
                    break;
                }
                let (since, reason) = (job.modified.0, "not done yet".to_owned());
                lists.waiting.push(Waiting { packet: job.hash, since, reason, needs: None });
            }
        }
        Ok(lists)
    }
}

/// What was said, but for numbers and times that change with each statement.
fn digest(lists: &Lists, position: u64) -> String {
    let slice = Slice { upto: position, ..Slice::default() };
    let head = Head { slice, ..Head::default() };
    let said = Statement { head, receipts: Vec::new(), lists: lists.clone() };
    base32::encode(&blake2b_256(&said.to_bytes()))
}
