//! Backups: the packets of each in the order they were queued, and until when it is proven.
//!
//! A file has a header, then one [`Line`] for each packet that was not settled yet, and for those
//! settled ones that prove something. It is read as a stream: `status` of a million packets takes
//! flat memory, and as long as reading 128 MB.
//!
//! **Proven until.** The newest time T of data such that every packet whose data are of T or older
//! is settled, and every packet queued before it. Ages are by our clock alone: of the data, or of the
//! moment we learned that they are there, whichever is older. What would need a clock that was wrong
//! proves nothing: withheld statements, lost receipts and odd clocks make a backup older or its age
//! unknown, never younger.

mod change;
mod file;
mod line;
mod standing;

use super::entry::Entry;
use super::store::{Ledger, Result};
use crate::disk;
use change::Lines;
use file::{each, header, read_header};
use line::{Line, State, text_id};
pub(super) use line::{Tag, tag};
use packmule_protocol::base32;
use packmule_protocol::id::{NodeId, PacketHash, blake2b_256};
pub(crate) use standing::Standing;
use std::collections::HashMap;
use std::path::PathBuf;

/// So many lines without use are left in a file.
const USELESS: u64 = 4096;

/// A packet on its way, as its line has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) packet: PacketHash,
    pub(super) size: u64,
    pub(super) queued: i64,
    pub(super) word: i64,
    pub(super) medium: Option<(Tag, u64)>,
}

/// Receipts that settle packets of one backup, by the packets' names.
pub(super) type Settling = HashMap<PacketHash, i64>;

impl Ledger {
    /// Adds a packet that is about to be published; durable on return. The lock of its destination is held.
    pub(super) fn add_line(&self, entry: &mut Entry) -> Result<()> {
        let to = entry.to();
        let path = self.backup_path(&to, entry);
        if path.symlink_metadata().is_err() {
            self.spool.replace(&path, &header(&entry.backup, entry.queued))?;
        }
        let mut lines = Lines::open(self, path)?;
        entry.line = lines.append(open_line(entry))?;
        Ok(())
    }

    /// Writes down when the packet was heard of last, and where it is: a filter for [`due`](super::due).
    pub(super) fn touch_line(&self, entry: &Entry) -> Result<()> {
        self.with_line(entry, |lines, at| lines.put(at, open_line(entry)))
    }

    /// The packet does not count any more; durable on return.
    pub(super) fn drop_line(&self, entry: &Entry) -> Result<()> {
        self.with_line(entry, |lines, at| {
            lines.put(at, Line { state: State::Dropped, ..open_line(entry) })?;
            Ok(lines.file.sync()?)
        })
    }

    fn with_line(&self, entry: &Entry, work: impl FnOnce(&Lines, u64) -> Result<()>) -> Result<()> {
        let path = self.backup_path(&entry.to(), entry);
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let lines = Lines::open(self, path)?;
        match lines.find(entry)? {
            Some(at) => work(&lines, at),
            None => Ok(()),
        }
    }

    /// Settles packets of the backup that `sample` is of; durable on return. The lock of the
    /// destination is held.
    pub(super) fn settle_lines(
        &self,
        sample: &Entry,
        settling: &Settling,
        learned: i64,
        statement: u64,
    ) -> Result<()> {
        let path = self.backup_path(&sample.to(), sample);
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let ids: HashMap<_, _> = settling.iter().map(|(id, at)| (text_id(id), *at)).collect();
        let lines = Lines::open(self, path)?;
        let mut useless = 0;
        let mut count = 0;
        lines.each(|at, line| {
            count += 1;
            let Some(line) = line else { return Ok(()) };
            useless += u64::from(!matches!(line.state, State::Open { .. }));
            // Also where it is settled: a write before may not have reached the disk.
            match ids.get(&line.id).filter(|_| line.state != State::Dropped) {
                Some(&applied) => {
                    let state = State::Settled { applied, learned, statement };
                    let first = match line.state {
                        State::Settled { .. } => line.state,
                        _ => state,
                    };
                    lines.put(at, Line { state: first, ..line })
                }
                None => Ok(()),
            }
        })?;
        lines.file.sync()?;
        if useless > USELESS && useless > count / 2 {
            lines.compact(self)?;
        }
        Ok(())
    }

    /// Nothing is proven any more of what went to `to`; durable on return.
    pub(super) fn void_backups(&self, to: &NodeId, now: i64) -> Result<()> {
        for path in disk::files(&self.layout.backups_dir(to))? {
            let lines = Lines::open(self, path)?;
            let mut new = self.spool.replacement(&lines.path)?;
            new.write(&header(&lines.header.backup, now))?;
            lines.each(|_, line| match line {
                Some(line) if matches!(line.state, State::Open { .. }) => {
                    Ok(new.write(&line.to_bytes())?)
                }
                _ => Ok(()),
            })?;
            new.commit()?;
        }
        Ok(())
    }

    /// How the backups stand that are sent to `to`, those that we pass on last.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn standings(&self, to: &NodeId) -> Result<Vec<Standing>> {
        let mut all = Vec::new();
        for path in disk::files(&self.layout.backups_dir(to))? {
            all.push(Standing::read(&path)?);
        }
        all.sort_by(|a, b| (a.backup.is_empty(), &a.backup).cmp(&(b.backup.is_empty(), &b.backup)));
        Ok(all)
    }

    /// Shows `look` each packet that is on its way to `to`.
    pub(super) fn each_open(
        &self,
        to: &NodeId,
        mut look: impl FnMut(Open) -> Result<()>,
    ) -> Result<()> {
        for path in disk::files(&self.layout.backups_dir(to))? {
            let Some((file, header)) = read_header(&path)? else { continue };
            each(&file, &path, header.len, |_, line| {
                let Some(line) = line else { return Ok(()) };
                match (line.state, line.packet()) {
                    (State::Open { queued, word, medium, .. }, Some(packet)) => {
                        look(Open { packet, size: line.size, queued, word, medium })
                    }
                    _ => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    fn backup_path(&self, to: &NodeId, entry: &Entry) -> PathBuf {
        self.layout.backup(to, &base32::encode(&blake2b_256(entry.backup.as_bytes())))
    }
}

fn open_line(entry: &Entry) -> Line {
    let medium = entry.last_handed().and_then(|handed| handed.medium);
    Line {
        data: entry.data,
        size: entry.size,
        id: text_id(&entry.id()),
        state: State::Open {
            queued: entry.queued,
            word: entry.last_word(),
            medium: medium.map(|(medium, session)| (tag(&medium), session)),
            failed: entry.last.as_ref().is_some_and(|word| word.failed),
        },
    }
}

#[cfg(test)]
mod tests;
