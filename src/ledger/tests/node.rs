//! A node: its spool and ledger, and what a toss and a transfer do with them.

use super::stick::{Packets, Stick, Travelling};
use crate::ledger::entry::{Entry, Handed, HandedBy};
use crate::ledger::store::{Ledger, Limits};
use crate::log::Log;
use crate::spool::{Options, Spool, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::{
    LedgerId, Lists, MEDIA_MAX, MediumId, MediumRead, Outcome, Receipt, Waiting,
};
use std::collections::BTreeSet;
use std::path::Path;

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() {
            None
        } else {
            all.get(usize::try_from(self.next(all.len() as u64)).unwrap())
        }
    }
}

pub(super) struct Node {
    pub(super) dir: tempfile::TempDir,
    pub(super) id: NodeId,
    pub(super) ledger: Ledger,
    pub(super) spool: Spool,
    /// Sticks that it read, and the session found on each; the newest last.
    pub(super) media: Vec<(MediumId, u64)>,
    /// Packets whose bytes were damaged, by the neighbour that is to be told.
    pub(super) damaged: BTreeSet<PacketHash>,
}

impl Node {
    pub(super) fn in_dir(dir: tempfile::TempDir, id: NodeId) -> Self {
        let options = Options { hdr: false, sync: false };
        let spool = Spool::new(dir.path(), options, Log::none());
        let (media, damaged) = (Vec::new(), BTreeSet::new());
        // So few that the limits are reached.
        let limits = Limits { segment: 4, segments: 3, receipts: 3 };
        Self { ledger: Ledger::with(&spool, limits), dir, id, spool, media, damaged }
    }

    pub(super) fn new(id: NodeId) -> Self {
        Self::in_dir(temporary(), id)
    }

    pub(super) fn copy(&self) -> Self {
        let dir = temporary();
        copy(self.dir.path(), dir.path());
        Self {
            media: self.media.clone(),
            damaged: self.damaged.clone(),
            ..Self::in_dir(dir, self.id)
        }
    }

    pub(super) fn has_read(&mut self, stick: &Stick) {
        self.media.retain(|(medium, _)| *medium != stick.id);
        self.media.push((stick.id, stick.session));
    }

    pub(super) fn lists(&self, waiting: Vec<Waiting>) -> Lists {
        let read = |&(medium, session): &(MediumId, u64)| MediumRead {
            medium,
            name: "stick".to_owned(),
            session,
            at: 0,
        };
        let media = self.media.iter().rev().take(MEDIA_MAX).map(read).collect();
        Lists { whole: true, waiting, media, ..Lists::default() }
    }

    /// Puts all that waits for `hop` on a stick.
    pub(super) fn put(
        &self,
        hop: NodeId,
        at: usize,
        stick: &mut Stick,
        packets: &Packets,
        now: i64,
    ) {
        for name in self.spool.hashes(&hop, Xx::Tx).unwrap() {
            let packet = packets[&name].clone();
            stick.packets.retain(|other| other.packet.names != packet.names || other.at != at);
            stick.packets.push(Travelling { packet, at, good: true });
            let medium = Some((stick.id, stick.session));
            let handed = Handed { at: now, by: HandedBy::Medium, medium };
            assert!(self.ledger.hand_over(&hop, &name, handed).unwrap());
        }
    }

    pub(super) fn follow(&self, entry: Entry) {
        let (hop, name) = entry.hop();
        let path = self.spool.packet(&hop, Xx::Tx, &name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let following = self.ledger.follow(&entry.to(), vec![entry]).unwrap();
        std::fs::write(path, b"packet").unwrap();
        following.published().unwrap();
    }

    pub(super) fn append(&self, node: NodeId, packet: PacketHash, outcome: Outcome) {
        self.ledger.journal(&node).append(&[Receipt { packet, at: 0, outcome }]).unwrap();
    }

    pub(super) fn owes(&self, node: NodeId, packet: &PacketHash) -> bool {
        let theirs = self.ledger.heard(&node).unwrap().map_or(0, |heard| heard.theirs);
        self.ledger.journal(&node).owes(packet, theirs).unwrap()
    }

    pub(super) fn open(&self, to: NodeId) -> u64 {
        self.ledger.standings(&to).unwrap().iter().map(|standing| standing.open).sum()
    }

    pub(super) fn speaks_as(&self) -> Option<LedgerId> {
        self.ledger.identity().unwrap().map(|identity| identity.ledger)
    }
}

pub(super) fn temporary() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

pub(super) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
