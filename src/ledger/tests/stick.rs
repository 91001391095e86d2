//! Sticks, and what is on them.

use packmule_protocol::id::{NodeId, PacketHash, blake2b_256};
use packmule_protocol::statement::{MediumId, Need, Statement, Waiting};
use std::collections::HashMap;

#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) number: u32,
    /// Its names at the stations.
    pub(super) names: Vec<(NodeId, PacketHash)>,
    /// The packet that its handler needs before it.
    pub(super) after: Option<u32>,
}

/// By each of their names.
pub(super) type Packets = HashMap<PacketHash, Packet>;

impl Packet {
    pub(super) fn id(&self) -> PacketHash {
        id(self.number)
    }
}

pub(super) fn id(number: u32) -> PacketHash {
    PacketHash(blake2b_256(&number.to_be_bytes()))
}

/// A packet on a stick, for the station of this index.
#[derive(Debug, Clone)]
pub(super) struct Travelling {
    pub(super) packet: Packet,
    pub(super) at: usize,
    pub(super) good: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    /// Who takes it from the stick.
    pub(super) hop: NodeId,
    pub(super) statement: Statement,
}

#[derive(Debug, Clone)]
pub(super) struct Stick {
    pub(super) id: MediumId,
    pub(super) session: u64,
    pub(super) packets: Vec<Travelling>,
    pub(super) said: Vec<Said>,
}

impl Stick {
    /// A node's statements replace those that it put there before.
    pub(super) fn say(&mut self, from: NodeId, to: NodeId, hop: NodeId, all: Vec<Statement>) {
        self.said.retain(|said| (said.from, said.to) != (from, to));
        self.said.extend(all.into_iter().map(|statement| Said { from, to, hop, statement }));
    }

    pub(super) fn take_said(&mut self, hop: NodeId) -> Vec<Said> {
        let (taken, left) =
            std::mem::take(&mut self.said).into_iter().partition(|said| said.hop == hop);
        self.said = left;
        taken
    }

    pub(super) fn take_packets(&mut self, hop: NodeId) -> Vec<Travelling> {
        let taken = |on: &Travelling| on.packet.names[on.at].0 == hop;
        let (taken, left) = std::mem::take(&mut self.packets).into_iter().partition(taken);
        self.packets = left;
        taken
    }
}

pub(super) fn waiting(packet: PacketHash, needs: Option<Need>) -> Waiting {
    Waiting { packet, since: 0, reason: "waits".to_owned(), needs }
}
