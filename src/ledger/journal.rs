//! Receipts for a partner: what became of its packets, numbered from 1.
//!
//! A receipt is a line of a statement. Receipts stand in segments of 4096 lines, each named by the number
//! of its first. The names of the newest segment are in memory; before the next segment
//! begins they are merged into [`done`](super::done).

use super::layout::number;
use super::recent::{Done, Read, Tail};
use super::store::{Ledger, Result};
use crate::disk;
use crate::spool::Growing;
use memchr::memmem;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::{Outcome, RECEIPTS_MAX, Receipt, Slice};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

/// Bytes of a segment that are read: a receipt has a reason of 200 bytes at most.
const SEGMENT_BYTES: u64 = 8 << 20;

/// The receipts for one partner.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    ledger: &'a Ledger,
    node: NodeId,
    tail: Option<Tail>,
    done: Done,
}

impl Ledger {
    /// The receipts for `node`. Nothing is read or created.
    pub(crate) fn journal(&self, node: &NodeId) -> Journal<'_> {
        let Read { tail, done } = self.lock_read().remove(node).unwrap_or_default();
        Journal { ledger: self, node: *node, tail, done }
    }

    fn lock_read(&self) -> MutexGuard<'_, HashMap<NodeId, Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was read of it is kept.
impl Drop for Journal<'_> {
    fn drop(&mut self) {
        let read = Read { tail: self.tail.take(), done: std::mem::take(&mut self.done) };
        self.ledger.lock_read().insert(self.node, read);
    }
}

impl Journal<'_> {
    /// Whether a packet of the partner is done: its effect is durable.
    ///
    /// # Errors
    /// When that can not be found out: the packet must stay.
    pub(crate) fn is_done(&mut self, packet: &PacketHash) -> Result<bool> {
        self.refresh()?;
        let newest = self.tail.as_ref().is_some_and(|tail| tail.done.contains(packet));
        Ok(newest || self.done.contains(packet)?)
    }

    /// Whether a packet of the partner is done. If it is, and the partner has no receipt of it that we
    /// know of, it gets another one: it would not come again if its sender knew.
    ///
    /// # Errors
    /// When that can not be found out: the packet must stay.
    pub(crate) fn recognise(&mut self, packet: &PacketHash, now: i64) -> Result<bool> {
        if !self.is_done(packet)? {
            return Ok(false);
        }
        let theirs = self.ledger.heard(&self.node)?.map_or(0, |heard| heard.theirs);
        if !self.owes(packet, theirs)? {
            let outcome = Outcome::Done { again: true };
            self.append(&[Receipt { packet: *packet, at: now, outcome }])?;
        }
        Ok(true)
    }

    /// Appends receipts; durable on return.
    ///
    /// # Errors
    /// Those of the disk. None of them counts then, or an even part of them.
    pub(crate) fn append(&mut self, receipts: &[Receipt]) -> Result<()> {
        let ledger = self.ledger;
        let _busy = ledger.spool.wait_for_lock(&ledger.layout.in_busy(&self.node))?;
        for some in receipts.chunks(ledger.limits.segment.div_ceil(4)) {
            self.refresh()?;
            let mut first = self.tail.as_ref().map_or(1, |tail| tail.first);
            if let Some(tail) =
                self.tail.as_ref().filter(|tail| tail.lines >= ledger.limits.segment as u64)
            {
                self.done.merge(ledger, &self.node, tail.done.iter().copied())?;
                first = tail.first.saturating_add(tail.lines);
            }
            let mut segment = ledger.spool.growing(&ledger.layout.segment(&self.node, first))?;
            self.cut_torn(&mut segment, first)?;
            let lines: Vec<u8> = some.iter().flat_map(Receipt::to_line).collect();
            segment.append(&lines)?;
        }
        self.drop_oldest()
    }

    /// Whether a receipt of a packet is there that the partner may not have: with a number above
    /// `upto`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn owes(&self, packet: &PacketHash, upto: u64) -> Result<bool> {
        let name = packet.to_string();
        for first in self.segments()? {
            let Some(lines) = self.lines(first)? else { continue };
            for (number, line) in (first..).zip(lines) {
                let line = line.map_err(|cause| self.unread(first, cause))?;
                if number > upto && memmem::find(&line, name.as_bytes()).is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Receipts that follow number `after`, at most as many as a statement holds.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn slice(&self, after: u64, most: usize) -> Result<(Slice, Vec<Receipt>)> {
        let segments = self.segments()?;
        let first = segments.first().copied().unwrap_or(1);
        let after = after.max(first.saturating_sub(1)).min(self.last(&segments)?);
        let mut slice = Slice { first, after, upto: after };
        let mut receipts = Vec::new();
        for start in segments {
            let Some(lines) = self.lines(start)? else { continue };
            for (number, line) in (start..).zip(lines) {
                let line = line.map_err(|cause| self.unread(start, cause))?;
                if number <= after {
                    continue;
                }
                if receipts.len() == most.min(RECEIPTS_MAX) {
                    return Ok((slice, receipts));
                }
                // A damaged line is passed over: its packet is offered again.
                receipts.extend(Receipt::from_line(&line));
                slice.upto = number;
            }
        }
        Ok((slice, receipts))
    }

    /// The number of the last receipt; 0 before the first.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn position(&self) -> Result<u64> {
        self.last(&self.segments()?)
    }

    /// Removes receipts up to number `upto`, which the partner has: whole segments of them.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn trim(&self, upto: u64) -> Result<()> {
        let segments = self.segments()?;
        for pair in segments.windows(2).filter(|pair| pair[1] <= upto.saturating_add(1)) {
            self.remove(pair[0])?;
        }
        Ok(())
    }

    fn last(&self, segments: &[u64]) -> Result<u64> {
        let Some(&first) = segments.last() else { return Ok(0) };
        let mut tail = Tail { first, ..Tail::default() };
        self.read_on(&mut tail)?;
        Ok(first.saturating_add(tail.lines).saturating_sub(1))
    }

    fn drop_oldest(&self) -> Result<()> {
        let segments = self.segments()?;
        let extra = segments.len().saturating_sub(self.ledger.limits.segments);
        segments[..extra].iter().try_for_each(|first| self.remove(*first))
    }

    fn remove(&self, first: u64) -> Result<()> {
        let path = self.ledger.layout.segment(&self.node, first);
        self.ledger.spool.disk().remove_if_there(&path)?;
        Ok(())
    }

    /// Numbers of the first receipts of the segments, in order.
    fn segments(&self) -> Result<Vec<u64>> {
        let paths = disk::files(&self.ledger.layout.journal_dir(&self.node))?;
        let numbered = |path: &PathBuf| number(path.file_name()?.to_str()?);
        let mut segments: Vec<_> =
            paths.iter().filter_map(numbered).filter(|first| *first > 0).collect();
        segments.sort_unstable();
        Ok(segments)
    }

    /// Reads what is new since the last time.
    fn refresh(&mut self) -> Result<()> {
        let Some(first) = self.segments()?.last().copied() else { return Ok(()) };
        let known = self.tail.take().filter(|tail| tail.first == first);
        let mut tail = match known {
            Some(tail) => tail,
            None => {
                // An earlier process may have been stopped before its receipts were on disk.
                self.ledger
                    .spool
                    .growing(&self.ledger.layout.segment(&self.node, first))?
                    .read_back()?;
                self.done = Done::open(self.ledger, &self.node)?;
                Tail { first, ..Tail::default() }
            }
        };
        self.read_on(&mut tail)?;
        self.tail = Some(tail);
        Ok(())
    }

    fn read_on(&self, tail: &mut Tail) -> Result<()> {
        let Some((mut file, size)) = self.segment(tail.first)? else { return Ok(()) };
        if size < tail.len {
            // Another process has taken back what it could not sync.
            *tail = Tail { first: tail.first, ..Tail::default() };
        }
        if size == tail.len {
            return Ok(());
        }
        let unread = |cause| self.unread(tail.first, cause);
        io::Seek::seek(&mut file, io::SeekFrom::Start(tail.len)).map_err(unread)?;
        for line in whole_lines(file) {
            let line = line.map_err(|cause| self.unread(tail.first, cause))?;
            tail.len += line.len() as u64;
            tail.lines += 1;
            if let Some(Receipt { packet, outcome: Outcome::Done { .. }, .. }) =
                Receipt::from_line(&line)
            {
                tail.done.insert(packet);
            }
        }
        Ok(())
    }

    /// Removes the beginning of a line whose writer was stopped.
    fn cut_torn(&self, segment: &mut Growing, first: u64) -> Result<()> {
        let whole = match &self.tail {
            Some(tail) if tail.first == first => tail.len,
            _ => 0,
        };
        if segment.len() > whole {
            segment.truncate(whole)?;
        }
        Ok(())
    }

    fn lines(&self, first: u64) -> Result<Option<impl Iterator<Item = io::Result<Vec<u8>>>>> {
        Ok(self.segment(first)?.map(|(file, _)| whole_lines(file)))
    }

    fn segment(&self, first: u64) -> Result<Option<(File, u64)>> {
        let path = self.ledger.layout.segment(&self.node, first);
        match disk::open_regular_path(&path) {
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(None),
            other => Ok(other.map(|(file, metadata)| Some((file, metadata.len())))?),
        }
    }

    fn unread(&self, first: u64, cause: io::Error) -> disk::DiskError {
        let path = self.ledger.layout.segment(&self.node, first);
        disk::DiskError { op: disk::Op::Read, path, cause }
    }
}

/// The lines of a file that have an end.
fn whole_lines(file: File) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let mut reader = BufReader::new(file.take(SEGMENT_BYTES));
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(_) if line.last() == Some(&b'\n') => Some(Ok(line)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    })
}

#[cfg(test)]
mod tests;
