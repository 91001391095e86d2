//! Laptop, relay, vault, sticks, and what is true of them.

use super::node::{Node, Random};
use super::stick::{Packet, Packets, Said, Stick, Travelling, id};
use crate::ledger::accept::{Accepted, Believed};
use crate::ledger::entry::{Entry, Kind};
use packmule_protocol::id::{NodeId, PacketHash, blake2b_256};
use packmule_protocol::statement::{LedgerId, Name};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) const LAPTOP: NodeId = NodeId([1; 32]);
pub(super) const RELAY: NodeId = NodeId([2; 32]);
pub(super) const VAULT: NodeId = NodeId([3; 32]);
/// Seconds after which a packet of which nobody said anything is offered again.
pub(super) const RETRY: u64 = 40;

/// What is between laptop and vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing.
    Direct,
    /// A relay that knows nothing of statements.
    Blind,
    /// A relay that follows what it passes on, and tells the laptop.
    Custody,
}

/// What the test knows of the laptop, apart from its ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    /// Packets that are on their way, and the time of their data.
    pub(super) open: BTreeMap<u32, i64>,
    pub(super) settled: BTreeSet<u32>,
    /// The newest of the vault's ledgers that it believed.
    pub(super) believed: usize,
}

pub(super) struct World {
    pub(super) shape: Shape,
    pub(super) random: Random,
    pub(super) now: i64,
    pub(super) laptop: Node,
    pub(super) relay: Node,
    pub(super) vault: Node,
    pub(super) book: Book,
    pub(super) packets: Packets,
    pub(super) count: u32,
    pub(super) previous: Option<u32>,
    /// What a relay that knows nothing has to pass on.
    pub(super) outbox: (Vec<Travelling>, Vec<Said>),
    /// Packets at the vault that wait.
    pub(super) rx: BTreeMap<u32, Packet>,
    /// What was processed, by the vault's ledger.
    pub(super) truth: HashMap<LedgerId, BTreeSet<u32>>,
    pub(super) sticks: Vec<Stick>,
    pub(super) replays: Vec<Said>,
    pub(super) drawer: Vec<Stick>,
    pub(super) backups: Vec<(Node, Book)>,
    pub(super) vault_backups: Vec<(Node, BTreeMap<u32, Packet>)>,
    /// The vault's ledgers, in the order in which they were made.
    pub(super) ledgers: Vec<LedgerId>,
    /// What the vault processed since its spool was as it is: what a backup of it forgot may be
    /// processed once more.
    pub(super) processed: BTreeSet<u32>,
    /// Those since the vault's data were lost last.
    pub(super) same_vault: BTreeSet<LedgerId>,
    pub(super) conflicts: usize,
}

impl World {
    pub(super) fn new(shape: Shape, seed: u64) -> Self {
        let mut world = Self {
            shape,
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            now: 10_000,
            laptop: Node::new(LAPTOP),
            relay: Node::new(RELAY),
            vault: Node::new(VAULT),
            book: Book::default(),
            packets: Packets::new(),
            count: 0,
            previous: None,
            outbox: (Vec::new(), Vec::new()),
            rx: BTreeMap::new(),
            truth: HashMap::new(),
            sticks: Vec::new(),
            replays: Vec::new(),
            drawer: Vec::new(),
            backups: Vec::new(),
            vault_backups: Vec::new(),
            ledgers: Vec::new(),
            processed: BTreeSet::new(),
            same_vault: BTreeSet::new(),
            conflicts: 0,
        };
        world.sticks = (0..3).map(|_| world.fresh_stick()).collect();
        world
    }

    pub(super) fn fresh_stick(&mut self) -> Stick {
        let id =
            u128::from(self.random.next(u64::MAX)) << 64 | u128::from(self.random.next(u64::MAX));
        Stick { id: Name(id.to_be_bytes()), session: 0, packets: Vec::new(), said: Vec::new() }
    }

    pub(super) fn micros(&self) -> u64 {
        u64::try_from(self.now).unwrap() * 1_000_000
    }

    /// The station that takes from sticks for the vault, and the one for the laptop.
    pub(super) fn first_hop(&self) -> NodeId {
        if self.shape == Shape::Direct { VAULT } else { RELAY }
    }

    pub(super) fn queue(&mut self) {
        self.count += 1;
        let number = self.count;
        let after = self.previous.filter(|_| self.random.chance(40));
        let mut names = vec![(VAULT, id(number))];
        if self.shape != Shape::Direct {
            names.insert(0, (RELAY, PacketHash(blake2b_256(&u64::from(number).to_le_bytes()))));
        }
        let packet = Packet { number, names, after };
        for (_, name) in &packet.names {
            self.packets.insert(*name, packet.clone());
        }
        self.laptop.follow(self.entry(packet.names, Kind::File, &format!("backup {}", number % 2)));
        self.book.open.insert(number, self.now);
        self.previous = Some(number);
    }

    pub(super) fn entry(
        &self,
        stations: Vec<(NodeId, PacketHash)>,
        kind: Kind,
        backup: &str,
    ) -> Entry {
        Entry {
            stations,
            size: 6,
            nice: 96,
            queued: self.now,
            data: self.now,
            kind,
            backup: backup.to_owned(),
            step: None,
            handed: Vec::new(),
            got: Vec::new(),
            last: None,
            dropped: false,
            line: 0,
        }
    }

    /// A node accepts what was said to it; a person decides between two ledgers by the truth.
    pub(super) fn accept(&mut self, said: &Said) -> Option<Believed> {
        let speaker = match said.from {
            LAPTOP => self.laptop.speaks_as(),
            RELAY => self.relay.speaks_as(),
            _ => self.vault.speaks_as(),
        };
        let node = match said.to {
            LAPTOP => &self.laptop,
            RELAY => &self.relay,
            _ => &self.vault,
        };
        let before = node.ledger.heard(&said.from).unwrap();
        let accepted = node.ledger.accept(&said.from, &said.statement, self.now).unwrap();
        match accepted {
            Accepted::Believed(believed) => Some(believed),
            Accepted::Old => {
                assert_eq!(node.ledger.heard(&said.from).unwrap(), before, "old: nothing changes");
                None
            }
            Accepted::Conflict => {
                self.conflicts += 1;
                node.ledger.decide(&said.from, speaker?, self.now).unwrap();
                let after = node.ledger.heard(&said.from).unwrap();
                let anew = before.map(|heard| heard.ledger) != after.map(|heard| heard.ledger);
                anew.then(|| Believed { anew, ..Believed::default() })
            }
        }
    }
}
