//! Statistics of a neighbour's queues.

use super::{Job, Spool, Xx};
use crate::disk::Result;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;
use std::collections::BTreeMap;

/// The contents of one neighbour's directories, in directory order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stat {
    /// Received packets.
    pub rx: Vec<Job>,
    /// Received packets that are not verified.
    pub nock: Vec<Job>,
    /// Partly received packets, with their sizes.
    pub part: Vec<(PacketHash, u64)>,
    /// Packets to be sent.
    pub tx: Vec<Job>,
}

/// Number, size and age of the packets in one queue, or of some of them.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of packets.
    pub packets: u64,
    /// The sum of their sizes.
    pub bytes: u64,
    /// Modification time of the oldest, in seconds since 1970. Unknown for partly received packets.
    pub oldest: Option<i64>,
    /// Modification time of the newest, in seconds since 1970.
    pub newest: Option<i64>,
}

/// Packets of one niceness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// Received.
    pub rx: Totals,
    /// To be sent.
    pub tx: Totals,
    /// Received and not verified.
    pub nock: Totals,
}

impl Spool {
    /// Reads the queues of a neighbour.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub(crate) fn stat(&self, node: &NodeId) -> Result<Stat> {
        Ok(Stat {
            rx: self.listing(node, Xx::Rx)?.jobs,
            nock: self.nocks(node)?.jobs,
            part: self.parts(node)?,
            tx: self.listing(node, Xx::Tx)?.jobs,
        })
    }

    /// What waits in one direction.
    ///
    /// # Errors
    /// When the directory can not be read.
    pub(crate) fn totals(&self, node: &NodeId, xx: Xx) -> Result<Totals> {
        let mut totals = Totals::default();
        self.listing(node, xx)?.jobs.iter().for_each(|job| totals.add(job));
        Ok(totals)
    }

    /// What there is of packets of which only the beginning came.
    ///
    /// # Errors
    /// When the directory can not be read.
    pub(crate) fn partial(&self, node: &NodeId) -> Result<Totals> {
        Ok(Totals::of_parts(&self.parts(node)?))
    }
}

impl Stat {
    /// Packets by niceness, the most urgent first.
    pub(crate) fn levels(&self) -> BTreeMap<Niceness, Level> {
        let mut levels = BTreeMap::<Niceness, Level>::new();
        let mut count = |jobs: &[Job], totals: fn(&mut Level) -> &mut Totals| {
            for job in jobs {
                totals(levels.entry(job.nice()).or_default()).add(job);
            }
        };
        count(&self.rx, |level| &mut level.rx);
        count(&self.tx, |level| &mut level.tx);
        count(&self.nock, |level| &mut level.nock);
        levels
    }

    /// Beginnings of packets.
    pub(crate) fn parts(&self) -> Totals {
        Totals::of_parts(&self.part)
    }
}

impl Totals {
    fn of_parts(parts: &[(PacketHash, u64)]) -> Self {
        let bytes = parts.iter().fold(0_u64, |sum, (_, size)| sum.saturating_add(*size));
        Self { packets: parts.len() as u64, bytes, ..Self::default() }
    }

    fn add(&mut self, job: &Job) {
        let written = Some(job.modified.0);
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(job.size);
        self.oldest = self.oldest.into_iter().chain(written).min();
        self.newest = self.newest.into_iter().chain(written).max();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Suffix;
    use crate::spool::testing::{NODE, TestSpool, packet};
    use std::time::{Duration, UNIX_EPOCH};

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
        let figures = |totals: Totals| (totals.packets, totals.bytes);
        let levels = stat.levels().into_iter().map(|(nice, Level { rx, tx, nock })| {
            (nice.get(), figures(rx), figures(tx), figures(nock))
        });
        let want = [(5, (2, 347), (1, 173), (0, 0)), (9, (0, 0), (1, 172), (1, 175))];
        assert_eq!(levels.collect::<Vec<_>>(), want);
        assert_eq!(figures(stat.parts()), (1, 2));
        assert_eq!(stat.parts(), test.spool.partial(&NODE).unwrap());
    }

    #[test]
    fn the_oldest_and_the_newest_are_those_of_one_direction() {
        let test = TestSpool::new();
        assert_eq!(test.spool.totals(&NODE, Xx::Rx).unwrap(), Totals::default());
        for (nice, seconds) in [(5, 2000), (1, 1000), (9, 3000)] {
            let hash = test.add(Xx::Rx, nice, b"");
            let file = std::fs::File::open(test.spool.packet(&NODE, Xx::Rx, &hash)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        test.add(Xx::Tx, 5, b"");
        let totals = test.spool.totals(&NODE, Xx::Rx).unwrap();
        assert_eq!((totals.packets, totals.bytes), (3, 516));
        assert_eq!((totals.oldest, totals.newest), (Some(1000), Some(3000)));
    }
}
