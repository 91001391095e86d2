//! What waits for a neighbour, in numbers.

use super::{Job, Spool, Xx};
use crate::disk::Result;
use packmule_protocol::{
    id::{NodeId, PacketHash},
    niceness::Niceness,
};
use std::collections::BTreeMap;

/// What is in the directories of one neighbour, in their own order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stat {
    /// Received packets.
    pub rx: Vec<Job>,
    /// Received packets that nobody has hashed.
    pub nock: Vec<Job>,
    /// Beginnings of packets, with their sizes.
    pub part: Vec<(PacketHash, u64)>,
    /// Packets to be sent.
    pub tx: Vec<Job>,
}

/// Some packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// How many.
    pub packets: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// Packets of one niceness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// Received.
    pub rx: Sum,
    /// To be sent.
    pub tx: Sum,
    /// Received and not hashed.
    pub nock: Sum,
}

impl Spool {
    /// Looks at all that waits for a neighbour.
    ///
    /// # Errors
    /// When a directory can not be read.
    pub(crate) fn stat(&self, node: &NodeId) -> Result<Stat> {
        Ok(Stat {
            rx: self.listing(node, Xx::Rx)?.jobs,
            nock: self.nocks(node)?.jobs,
            part: self.parts(node)?,
            tx: self.listing(node, Xx::Tx)?.jobs,
        })
    }
}

impl Stat {
    /// Packets by niceness, the most urgent first.
    pub(crate) fn levels(&self) -> BTreeMap<Niceness, Level> {
        let mut levels = BTreeMap::<Niceness, Level>::new();
        let mut count = |jobs: &[Job], sum: fn(&mut Level) -> &mut Sum| {
            for job in jobs {
                sum(levels.entry(job.nice()).or_default()).add(job.size);
            }
        };
        count(&self.rx, |level| &mut level.rx);
        count(&self.tx, |level| &mut level.tx);
        count(&self.nock, |level| &mut level.nock);
        levels
    }

    /// Beginnings of packets.
    pub(crate) fn parts(&self) -> Sum {
        let mut sum = Sum::default();
        self.part.iter().for_each(|(_, size)| sum.add(*size));
        sum
    }
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::{
        Suffix,
        testing::{NODE, TestSpool, packet},
    };

    #[test]
    fn packets_are_counted_by_niceness_and_kind() {
        let test = TestSpool::new();
        for (xx, nice, payload) in
            [(Xx::Rx, 5, "a"), (Xx::Rx, 5, "bb"), (Xx::Tx, 5, "c"), (Xx::Tx, 9, "")]
        {
            test.add(xx, nice, payload.as_bytes());
        }
        let hash = PacketHash([1; 32]);
        let nock = test.spool.unfinished(&NODE, &hash, Suffix::Nock);
        std::fs::write(nock, packet(9, b"123")).unwrap();
        std::fs::write(test.spool.unfinished(&NODE, &hash, Suffix::Part), b"12").unwrap();
        let stat = test.spool.stat(&NODE).unwrap();
        let sum = |packets, bytes| Sum { packets, bytes };
        let levels: Vec<_> = stat.levels().into_iter().map(|(n, level)| (n.get(), level)).collect();
        let five = Level { rx: sum(2, 347), tx: sum(1, 173), nock: sum(0, 0) };
        let nine = Level { rx: sum(0, 0), tx: sum(1, 172), nock: sum(1, 175) };
        assert_eq!(levels, [(5, five), (9, nine)]);
        assert_eq!(stat.parts(), sum(1, 2));
    }
}
