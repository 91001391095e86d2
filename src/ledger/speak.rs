//! Our statements for a partner: what we did with its packets, and what we know of it.

use super::store::{Ledger, Result};
use packmule_protocol::id::NodeId;
use packmule_protocol::statement::{
    Have, Head, LIST_MAX, Lists, PAYLOAD_MAX, Receipt, Slice, Statement, Sum, UNKNOWN_PARTNER_MAX,
    UnderWay,
};
use std::collections::BinaryHeap;

/// Bytes of a statement that are left for its head.
const HEAD_ROOM: usize = 16 << 10;
/// Receipts whose size is looked at together.
const SOME: usize = 512;

impl Ledger {
    /// What is to be said to `node` now: one statement, or several when there are more receipts than
    /// fit in one. Only the last has the lists. `lists` describes this node: what waits here, what it holds,
    /// which media it read, what is [on its way](Self::add_under_way) to the node.
    ///
    /// `micros`: our clock, in microseconds since 1970.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn statements(
        &self,
        node: &NodeId,
        lists: Lists,
        can: &[String],
        micros: u64,
    ) -> Result<Vec<Statement>> {
        let made = i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX);
        let Some(heard) = self.heard(node)? else {
            return Ok(vec![self.hello(node, can, micros, made)?]);
        };
        let have = Have { ledger: heard.ledger, upto: heard.upto, number: heard.number };
        let mut lists = lists;
        let mut statements = Vec::new();
        let mut after = heard.theirs;
        loop {
            let (slice, receipts) = self.some_receipts(node, after)?;
            let identity = self.next_number(micros)?;
            let head = Head {
                ledger: identity.ledger,
                number: identity.last,
                made,
                can: can.to_vec(),
                have: Some(have),
                slice,
            };
            after = slice.upto;
            let is_over = slice.after == slice.upto;
            let is_last = is_over || after >= self.journal(node).position()?;
            let mut statement = Statement { head, receipts, lists: Lists::default() };
            if is_last {
                statement.lists = std::mem::take(&mut lists);
                fit(&mut statement);
            }
            statements.push(statement);
            if is_last {
                return Ok(statements);
            }
        }
    }

    /// What a node that never spoke gets: small enough for a program that knows nothing of statements.
    fn hello(&self, node: &NodeId, can: &[String], micros: u64, made: i64) -> Result<Statement> {
        let identity = self.next_number(micros)?;
        let mut lists = Lists::default();
        self.add_under_way(node, &mut lists)?;
        lists = Lists { sum: lists.sum, ..Lists::default() };
        let head = Head {
            ledger: identity.ledger,
            number: identity.last,
            made,
            can: can.to_vec(),
            have: None,
            slice: Slice::default(),
        };
        let mut hello = Statement { head, receipts: Vec::new(), lists };
        if hello.to_bytes().len() > UNKNOWN_PARTNER_MAX {
            hello.head.can.clear();
        }
        Ok(hello)
    }

    /// Receipts that follow `after`, as many as one statement holds.
    fn some_receipts(&self, node: &NodeId, after: u64) -> Result<(Slice, Vec<Receipt>)> {
        let most = self.limits.receipts;
        let journal = self.journal(node);
        let (mut slice, mut receipts) = journal.slice(after, most.min(SOME))?;
        let mut size = bytes(&receipts);
        loop {
            let (more, some) = journal.slice(slice.upto, most.min(SOME))?;
            size += bytes(&some);
            let full = receipts.len() + some.len() > most || size > PAYLOAD_MAX - HEAD_ROOM;
            if more.upto == slice.upto || full {
                return Ok((slice, receipts));
            }
            slice.upto = more.upto;
            receipts.extend(some);
        }
    }

    /// Adds what is on its way to `node`: the sum, and the oldest packets.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn add_under_way(&self, node: &NodeId, lists: &mut Lists) -> Result<()> {
        let mut sum = Sum { packets: 0, bytes: 0, oldest: i64::MAX };
        let mut oldest = BinaryHeap::new();
        self.each_open(node, |open| {
            sum.packets += 1;
            sum.bytes = sum.bytes.saturating_add(open.size);
            sum.oldest = sum.oldest.min(open.queued);
            oldest.push((open.queued, open.packet, open.size));
            if oldest.len() > LIST_MAX {
                oldest.pop();
            }
            Ok(())
        })?;
        if sum.packets > 0 {
            lists.sum = Some(sum);
        }
        let entry = |(since, packet, size)| UnderWay { packet, size, since };
        lists.under_way = oldest.into_sorted_vec().into_iter().map(entry).collect();
        Ok(())
    }
}

fn bytes(receipts: &[Receipt]) -> usize {
    receipts.iter().map(|receipt| receipt.to_line().len()).sum()
}

/// Shortens the lists until the statement fits. They are not whole then, but for what is on its way:
/// nobody concludes anything from a packet that is missing there.
fn fit(statement: &mut Statement) {
    while statement.to_bytes().len() > PAYLOAD_MAX {
        let lists = &mut statement.lists;
        if lists.under_way.len() > LIST_MAX / 4 {
            lists.under_way.truncate(lists.under_way.len() / 2);
            continue;
        }
        lists.whole = false;
        lists.waiting.truncate(lists.waiting.len() / 2);
        lists.facts.truncate(lists.facts.len() / 2);
        lists.under_way.truncate(lists.under_way.len() / 2);
    }
}

#[cfg(test)]
mod tests;
