//! Followed packets: queued, handed over, offered again, settled, forgotten.
//!
//! | step | order | stopped in between |
//! | --- | --- | --- |
//! | queue | `new/`, names, line of the backup, packet in `tx/`, `out/` | without the packet, all is taken back |
//! | hand over | bytes to `held/`, note | a kept packet of which it is not known how it left |
//! | settle | line of the backup, bytes, `out/`, names | repeated with the same receipt |

use super::backups::Settling;
use super::entry::{ENTRY_MAX, Entry, Handed, Kind, Word};
use super::identity::read_small;
use super::store::{Ledger, Result};
use crate::disk;
use crate::spool::{Lock, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::{Outcome, Receipt};
use std::collections::HashMap;
use std::path::PathBuf;

/// Packets for one node that are about to be published. Dropped without [`published`](Self::published),
/// they are not followed.
#[derive(Debug)]
pub(crate) struct Following<'a> {
    ledger: &'a Ledger,
    entries: Vec<Entry>,
    over: bool,
    /// Held until it is over.
    _busy: Lock,
}

/// Where the bytes of a followed packet are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// They wait to leave.
    Tx,
    /// They left, and are kept.
    Held,
    /// Another program sent them, or they were dropped to make room.
    Gone,
}

/// What receipts came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Packets whose effect is durable, and that are followed no more.
    pub(crate) done: Vec<PacketHash>,
    /// Packets that will not be tried again by themselves, by their names at their destination.
    pub(crate) failed: Vec<PacketHash>,
}

impl Ledger {
    /// Begins to follow packets, all of them for the node `to`, before they are published. Durable on
    /// return.
    ///
    /// # Errors
    /// Those of the disk. Nothing is followed.
    pub(crate) fn follow(&self, to: &NodeId, entries: Vec<Entry>) -> Result<Following<'_>> {
        let busy = self.spool.wait_for_lock(&self.layout.out_busy(to))?;
        let mut following =
            Following { ledger: self, entries: Vec::new(), over: false, _busy: busy };
        for mut entry in entries {
            // What we pass on for others may come a second time.
            if self.load(to, &entry.id())?.is_none() {
                let begun = self.begin(&mut entry);
                following.entries.push(entry);
                begun?;
            }
        }
        Ok(following)
    }

    fn begin(&self, entry: &mut Entry) -> Result<()> {
        let (to, id) = (entry.to(), entry.id());
        self.spool.replace(&self.layout.new_entry(&to, &id), &entry.to_bytes())?;
        let (_, relays) = entry.stations.split_last().unwrap_or((&entry.stations[0], &[]));
        for (_, name) in relays {
            self.spool.replace(&self.layout.name(name), format!("{to} {id}\n").as_bytes())?;
        }
        self.add_line(entry)?;
        // Once more, with the number of its line.
        Ok(self.spool.replace(&self.layout.new_entry(&to, &id), &entry.to_bytes())?)
    }

    /// Decides about packets for `to` whose command was stopped while it queued them.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn tidy(&self, to: &NodeId) -> Result<()> {
        if disk::files(&self.layout.new_dir(to))?.is_empty() {
            return Ok(());
        }
        let _busy = self.spool.wait_for_lock(&self.layout.out_busy(to))?;
        for path in disk::files(&self.layout.new_dir(to))? {
            let bytes = read_small(&path, ENTRY_MAX)?;
            match bytes.and_then(|bytes| Entry::parse(&bytes)) {
                Some(entry) if self.place(&entry) != Place::Gone => self.publish(&entry)?,
                Some(entry) => self.take_back(&entry)?,
                None => {
                    self.spool.disk().remove_if_there(&path)?;
                }
            }
        }
        Ok(())
    }

    fn publish(&self, entry: &Entry) -> Result<()> {
        let (to, id) = (entry.to(), entry.id());
        self.spool.ensure_dir(&self.layout.out_dir(&to))?;
        Ok(self
            .spool
            .disk()
            .rename(self.layout.new_entry(&to, &id), self.layout.entry(&to, &id))?)
    }

    /// Undoes the beginning of following: the file under `new/` goes last, since it leads to the rest.
    fn take_back(&self, entry: &Entry) -> Result<()> {
        self.drop_line(entry)?;
        self.remove_names(entry)?;
        let path = self.layout.new_entry(&entry.to(), &entry.id());
        self.spool.disk().remove_if_there(&path)?;
        Ok(())
    }

    /// The followed packet that `node` knows as `name`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn find(&self, node: &NodeId, name: &PacketHash) -> Result<Option<Entry>> {
        let entry = match self.load(node, name)? {
            Some(entry) => Some(entry),
            None => match self.destination(name)? {
                Some((to, id)) => self.load(&to, &id)?,
                None => None,
            },
        };
        Ok(entry.filter(|entry| entry.station(node, name).is_some()))
    }

    /// The followed packet that any node knows as `name`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn find_anywhere(&self, name: &PacketHash) -> Result<Option<Entry>> {
        for to in self.destinations()? {
            if let Some(entry) = self.load(&to, name)? {
                return Ok(Some(entry));
            }
        }
        match self.destination(name)? {
            Some((to, id)) => self.load(&to, &id),
            None => Ok(None),
        }
    }

    /// The followed packet for `to` that is `id` there. One whose queueing was stopped after it was
    /// published counts.
    pub(super) fn load(&self, to: &NodeId, id: &PacketHash) -> Result<Option<Entry>> {
        let read = |path: PathBuf| {
            let bytes = read_small(&path, ENTRY_MAX)?;
            let entry = bytes.and_then(|bytes| Entry::parse(&bytes));
            Ok::<_, disk::DiskError>(entry.filter(|entry| (entry.to(), entry.id()) == (*to, *id)))
        };
        if let Some(entry) = read(self.layout.entry(to, id))? {
            return Ok(Some(entry));
        }
        let new = read(self.layout.new_entry(to, id))?;
        let Some(entry) = new.filter(|entry| self.place(entry) != Place::Gone) else {
            return Ok(None);
        };
        match self.publish(&entry) {
            // Its command was faster.
            Err(_) if self.layout.entry(to, id).exists() => Ok(Some(entry)),
            other => other.map(|()| Some(entry)),
        }
    }

    fn destination(&self, name: &PacketHash) -> Result<Option<(NodeId, PacketHash)>> {
        let Some(bytes) = read_small(&self.layout.name(name), 256)? else { return Ok(None) };
        let parse = || {
            let text = std::str::from_utf8(&bytes).ok()?;
            let (to, id) = text.strip_suffix('\n')?.split_once(' ')?;
            NodeId::from_file_name(to).zip(PacketHash::from_file_name(id))
        };
        Ok(parse())
    }

    /// Where the bytes of a packet are.
    pub(crate) fn place(&self, entry: &Entry) -> Place {
        let (hop, name) = entry.hop();
        let held = self.layout.held(&hop, &name);
        match () {
            () if self.spool.holds(&hop, Xx::Tx, &name) => Place::Tx,
            () if held.symlink_metadata().is_ok_and(|held| held.is_file()) => Place::Held,
            () => Place::Gone,
        }
    }

    /// Takes a packet out of the `tx/` of `hop` that was handed over, and keeps it if it is followed;
    /// whether it is. One that is not stays, for the caller to remove.
    ///
    /// # Errors
    /// Those of the disk. The packet stays where it was, or is kept without a note.
    pub(crate) fn hand_over(
        &self,
        hop: &NodeId,
        name: &PacketHash,
        handed: Handed,
    ) -> Result<bool> {
        let Some(found) = self.find(hop, name)? else { return Ok(false) };
        let _busy = self.spool.wait_for_lock(&self.layout.out_busy(&found.to()))?;
        // It may have been settled while we waited.
        let Some(mut entry) = self.load(&found.to(), &found.id())? else { return Ok(false) };
        self.spool.set_aside(hop, name, &self.layout.held(hop, name))?;
        entry.note_handed(handed);
        self.save(&entry)?;
        self.touch_line(&entry)?;
        Ok(true)
    }

    /// `hop` has the packet: so it said when it was handed over in a call.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn note_got(&self, hop: &NodeId, name: &PacketHash, now: i64) -> Result<()> {
        let Some(found) = self.find(hop, name)? else { return Ok(()) };
        let _busy = self.spool.wait_for_lock(&self.layout.out_busy(&found.to()))?;
        let Some(mut entry) = self.load(&found.to(), &found.id())? else { return Ok(()) };
        entry.note_got(*hop, now);
        self.save(&entry)?;
        self.touch_line(&entry)
    }

    /// Puts the bytes of a packet that is kept back into `tx/`; whether they were kept.
    pub(super) fn offer(&self, entry: &Entry) -> Result<bool> {
        let (hop, name) = entry.hop();
        let _busy = self.spool.wait_for_lock(&self.layout.out_busy(&entry.to()))?;
        if self.load(&entry.to(), &entry.id())?.is_none() {
            return Ok(false);
        }
        Ok(self.spool.put_back(&self.layout.held(&hop, &name), &hop, &name)?)
    }

    /// Acts on what `by` says became of packets, in the statement of this number. Repeating it does no
    /// harm.
    pub(super) fn settle(
        &self,
        by: &NodeId,
        receipts: &[Receipt],
        statement: u64,
        now: i64,
    ) -> Result<Settled> {
        let mut settled = Settled::default();
        // Of one backup each, to go through its file once.
        let mut groups: HashMap<(NodeId, String), (Vec<Entry>, Settling)> = HashMap::new();
        for Receipt { packet, at, outcome } in receipts {
            let Some(entry) = self.find(by, packet)? else { continue };
            if is_settled(&entry, by, outcome) {
                let group = groups.entry((entry.to(), entry.backup.clone())).or_default();
                // A journal may have two receipts of a packet that arrived twice.
                if group.1.insert(entry.id(), *at).is_none() {
                    group.0.push(entry);
                }
            } else if self.note(&entry, by, outcome, now)? {
                settled.failed.push(entry.id());
            }
        }
        for ((to, _), (entries, settling)) in groups {
            let _busy = self.spool.wait_for_lock(&self.layout.out_busy(&to))?;
            if let Some(sample) = entries.first() {
                self.settle_lines(sample, &settling, now, statement)?;
            }
            for entry in &entries {
                self.remove(entry)?;
                settled.done.push(entry.id());
            }
        }
        Ok(settled)
    }

    /// Writes down what is said of a packet that is not settled by it; whether it failed.
    fn note(&self, entry: &Entry, by: &NodeId, outcome: &Outcome, now: i64) -> Result<bool> {
        let _busy = self.spool.wait_for_lock(&self.layout.out_busy(&entry.to()))?;
        let Some(mut entry) = self.load(&entry.to(), &entry.id())? else { return Ok(false) };
        let failed = match outcome {
            Outcome::Done { .. } | Outcome::Got => {
                entry.note_got(*by, now);
                false
            }
            Outcome::Failed { reason, .. } => {
                let reason = reason.clone();
                entry.last = Some(Word { by: *by, at: now, failed: true, reason });
                true
            }
        };
        self.save(&entry)?;
        self.touch_line(&entry)?;
        Ok(failed)
    }

    /// Stops following a packet that `to` knows as `id`, and removes its bytes; whether it was followed.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn forget(&self, to: &NodeId, id: &PacketHash) -> Result<bool> {
        let _busy = self.spool.wait_for_lock(&self.layout.out_busy(to))?;
        let Some(entry) = self.load(to, id)? else { return Ok(false) };
        self.drop_line(&entry)?;
        self.remove(&entry)?;
        Ok(true)
    }

    /// Removes what is left of a packet that is not followed any more.
    fn remove(&self, entry: &Entry) -> Result<()> {
        let (hop, name) = entry.hop();
        let disk = self.spool.disk();
        disk.remove_if_there(self.layout.held(&hop, &name))?;
        self.spool.remove_packet(&hop, Xx::Tx, &name)?;
        disk.remove_if_there(self.layout.entry(&entry.to(), &entry.id()))?;
        self.remove_names(entry)
    }

    fn remove_names(&self, entry: &Entry) -> Result<()> {
        for (_, name) in &entry.stations[..entry.stations.len() - 1] {
            self.spool.disk().remove_if_there(self.layout.name(name))?;
        }
        Ok(())
    }

    fn save(&self, entry: &Entry) -> Result<()> {
        let path = self.layout.entry(&entry.to(), &entry.id());
        Ok(self.spool.replace(&path, &entry.to_bytes())?)
    }
}

/// Whether the word of `by` ends following. What we pass on for others is theirs to follow from the
/// next node on.
fn is_settled(entry: &Entry, by: &NodeId, outcome: &Outcome) -> bool {
    let last = entry.to() == *by;
    match outcome {
        Outcome::Done { .. } => last,
        Outcome::Got => last && entry.kind == Kind::Passed,
        Outcome::Failed { .. } => false,
    }
}

impl Following<'_> {
    /// All packets were published.
    ///
    /// # Errors
    /// Those of the disk. They are followed all the same.
    pub(crate) fn published(mut self) -> Result<()> {
        self.over = true;
        self.entries.iter().try_for_each(|entry| self.ledger.publish(entry))
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        for entry in &self.entries {
            // What stays is decided by the next tidying up. A packet that was published is followed.
            let _ = match self.ledger.place(entry) {
                Place::Gone => self.ledger.take_back(entry),
                _ => self.ledger.publish(entry),
            };
        }
    }
}

#[cfg(test)]
mod tests;
