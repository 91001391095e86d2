//! Accepting a partner's statement: what it says is believed, or not, and acted on.
//!
//! Every step may be repeated: a statement counts as read when its number is written down, which comes last.

use super::backups::{Open, tag};
use super::due::{Event, Said, Why, due};
use super::entry::Entry;
use super::parcel::{Place, Settled};
use super::partner::{Heard, Verdict, judge};
use super::store::{Ledger, Result};
use crate::age;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::{Head, LedgerId, MediumId, Statement};
use std::collections::{BTreeMap, HashSet};

/// What came of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It is believed.
    Believed(Believed),
    /// It was overtaken by another.
    Old,
    /// Two nodes claim to be the partner: nothing is believed.
    Conflict,
}

/// What a statement that is believed led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Believed {
    /// The partner was set up anew: what it had proven is void.
    pub(crate) anew: bool,
    /// The partner knows more of us than we do: we are a new ledger from now on.
    pub(crate) renewed: bool,
    /// What became of packets.
    pub(crate) settled: Settled,
    /// Packets that are offered again.
    pub(crate) offered: Offers,
}

/// How many packets were offered again, by the reason. Too many to name each.
pub(crate) type Offers = BTreeMap<Why, u64>;

impl Ledger {
    /// Accepts a statement of `node`, whose packet is authentic. Durable on return.
    ///
    /// # Errors
    /// Those of the disk. The statement can be accepted again.
    pub(crate) fn accept(
        &self,
        node: &NodeId,
        statement: &Statement,
        now: i64,
    ) -> Result<Accepted> {
        let _busy = self.spool.wait_for_lock(&self.layout.accept_busy(node))?;
        let heard = self.heard(node)?;
        let mut believed = Believed::default();
        let mut heard = match (judge(heard.as_ref(), &statement.head), heard) {
            (Verdict::Old, _) => return Ok(Accepted::Old),
            (Verdict::Conflict, Some(mut heard)) => {
                if heard.claim.is_none() {
                    heard.claim = Some(statement.head.ledger);
                    self.save_heard(node, &heard)?;
                }
                return Ok(Accepted::Conflict);
            }
            (Verdict::Anew, Some(mut heard)) => {
                believed.anew = true;
                self.begin_anew(node, now, &mut believed.offered)?;
                heard.succeed(statement.head.ledger);
                self.save_heard(node, &heard)?;
                heard
            }
            (Verdict::Next, Some(heard)) => heard,
            (_, _) => Heard::begin(statement.head.ledger),
        };
        let theirs = self.take_have(node, &statement.head, &mut believed.renewed)?;
        let number = statement.head.number;
        believed.settled = self.settle(node, &statement.receipts, number, now)?;
        self.offer_said(node, statement, &heard, &mut believed.offered)?;
        heard.take(statement, theirs, now);
        self.save_heard(node, &heard)?;
        Ok(Accepted::Believed(believed))
    }

    /// A person decided that `ledger` speaks for `node`; whether there was anything to decide.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn decide(&self, node: &NodeId, ledger: LedgerId, now: i64) -> Result<bool> {
        let _busy = self.spool.wait_for_lock(&self.layout.accept_busy(node))?;
        let Some(mut heard) = self.heard(node)?.filter(|heard| heard.claim.is_some()) else {
            return Ok(false);
        };
        if heard.decide(ledger) {
            self.begin_anew(node, now, &mut Offers::new())?;
        }
        self.save_heard(node, &heard)?;
        Ok(true)
    }

    /// A new ledger speaks for `node`: what the former one proved is void, and all that is on its way is due.
    fn begin_anew(&self, node: &NodeId, now: i64, offers: &mut Offers) -> Result<()> {
        self.void_backups(node, now)?;
        self.offer_where(node, |_| true, &Event::Anew(*node), offers)
    }

    /// Believes what the partner has of our receipts; up to which number that is. If it has more than
    /// we ever wrote, our spool was put back to an earlier state.
    fn take_have(&self, node: &NodeId, head: &Head, renewed: &mut bool) -> Result<u64> {
        let (Some(have), Some(own)) = (head.have, self.identity()?) else { return Ok(0) };
        if have.ledger != own.ledger {
            return Ok(0);
        }
        let journal = self.journal(node);
        if have.number > own.last || have.upto > journal.position()? {
            self.renew_identity()?;
            *renewed = true;
            return Ok(0);
        }
        journal.trim(have.upto)?;
        Ok(have.upto)
    }

    /// Offers again what a statement gives evidence for.
    fn offer_said(
        &self,
        node: &NodeId,
        statement: &Statement,
        before: &Heard,
        offers: &mut Offers,
    ) -> Result<()> {
        let said = Said::new(*node, &statement.lists);
        let event = Event::Said(&said);
        for name in said.needs() {
            if let Some(entry) = self.find(node, &name)? {
                self.offer_if_due(&entry, &event, offers)?;
            }
        }
        // Most statements bring nothing new of media, and nothing has to be gone through.
        let news = said.media().iter().filter(|read| !before.lists.media.contains(read));
        let media: HashSet<_> = news.map(|read| tag(&read.medium)).collect();
        if media.is_empty() {
            return Ok(());
        }
        let on_it = |open: &Open| open.medium.is_some_and(|(medium, _)| media.contains(&medium));
        for to in self.destinations()? {
            self.offer_where(&to, on_it, &event, offers)?;
        }
        Ok(())
    }

    /// Offers again the packets for `to` of which nobody said anything for `retry` seconds.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn offer_silent(&self, to: &NodeId, retry: u64, now: i64) -> Result<Offers> {
        self.tidy(to)?;
        let waiting = self.waiting_names()?;
        let spoke = self.heard(to)?.is_some();
        let mut offers = Offers::new();
        let silent = |open: &Open| age::seconds(now, open.word).is_some_and(|age| age > retry);
        self.each_entry(to, silent, |entry| {
            let waits = entry.stations.iter().any(|station| waiting.contains(station));
            let event = Event::Time { now, retry, waits, spoke };
            self.offer_if_due(&entry, &event, &mut offers)
        })?;
        Ok(offers)
    }

    /// Offers a packet again because a person wants it; whether its bytes are there.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn offer_asked(&self, entry: &Entry) -> Result<bool> {
        self.offer_if_due(entry, &Event::Asked, &mut Offers::new())?;
        Ok(self.place(entry) == Place::Tx)
    }

    /// Offers again what left on a medium that is lost.
    ///
    /// # Errors
    /// Those of the disk.
    #[cfg_attr(not(test), expect(dead_code, reason = "no command declares a medium dead yet"))]
    pub(crate) fn offer_dead(&self, medium: MediumId) -> Result<Offers> {
        let mut offers = Offers::new();
        let on_it = |open: &Open| open.medium.is_some_and(|(on, _)| on == tag(&medium));
        for to in self.destinations()? {
            self.offer_where(&to, on_it, &Event::Dead(medium), &mut offers)?;
        }
        Ok(offers)
    }

    fn offer_where(
        &self,
        to: &NodeId,
        candidate: impl Fn(&Open) -> bool,
        event: &Event<'_>,
        offers: &mut Offers,
    ) -> Result<()> {
        self.each_entry(to, candidate, |entry| self.offer_if_due(&entry, event, offers))
    }

    /// Shows `look` each packet that is on its way to `to`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn each_followed(
        &self,
        to: &NodeId,
        look: impl FnMut(Entry) -> Result<()>,
    ) -> Result<()> {
        self.each_entry(to, |_| true, look)
    }

    /// Shows `look` the packets on their way to `to` whose lines are those of candidates.
    fn each_entry(
        &self,
        to: &NodeId,
        candidate: impl Fn(&Open) -> bool,
        mut look: impl FnMut(Entry) -> Result<()>,
    ) -> Result<()> {
        self.each_open(to, |open| match candidate(&open) {
            true => self.load(to, &open.packet)?.map_or(Ok(()), &mut look),
            false => Ok(()),
        })
    }

    fn offer_if_due(&self, entry: &Entry, event: &Event<'_>, offers: &mut Offers) -> Result<()> {
        if let Some(why) = due(entry, event)
            && self.place(entry) == Place::Held
            && self.offer(entry)?
        {
            *offers.entry(why).or_default() += 1;
        }
        Ok(())
    }

    /// The packets that lie waiting somewhere, by the node and their name there.
    fn waiting_names(&self) -> Result<HashSet<(NodeId, PacketHash)>> {
        let mut names = HashSet::new();
        for node in self.partners()? {
            let lists = self.heard(&node)?.map(|heard| heard.lists).unwrap_or_default();
            names.extend(lists.waiting.iter().map(|waiting| (node, waiting.packet)));
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests;
