//! Makes a group of packets durable with one wait for the disk, instead of one for each packet.

use super::{CommitError, Finished, Pending, Spool, Xx};
use crate::disk::Result;
use packmule_protocol::id::{NodeId, PacketHash};
use rustix::process::{Resource, getrlimit};

/// Maximal number of packets in a group: each needs an open file.
const PACKETS: usize = 64;
/// Approximate number of bytes in a group. After a crash, these have to be copied again.
pub(crate) const SETTLE: u64 = 64 << 20;

/// True if a group of this size should be synced.
pub(crate) fn is_enough(packets: usize, bytes: u64) -> bool {
    packets >= PACKETS.min(files_at_once()) || bytes >= SETTLE
}

/// Number of files that one task may keep open: a quarter of the process's limit.
pub(crate) fn files_at_once() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).unwrap_or(usize::MAX).max(1)
}

/// Packets that get their names once their bytes are on disk. Dropping the group removes them.
/// `T`: caller data, returned with the result of each packet.
#[derive(Debug)]
pub(crate) struct Group<T> {
    spool: Spool,
    xx: Xx,
    hdr: bool,
    members: Vec<Member<T>>,
    size: u64,
}

#[derive(Debug)]
struct Member<T> {
    packet: Finished,
    node: NodeId,
    about: T,
}

impl<T> Group<T> {
    /// An empty group of packets in direction `xx`.
    pub(crate) fn new(spool: &Spool, xx: Xx) -> Self {
        Self { spool: spool.clone(), xx, hdr: true, members: Vec::new(), size: 0 }
    }

    /// See [`Finished::without_hdr`].
    #[must_use]
    pub(crate) fn without_hdr(self) -> Self {
        Self { hdr: false, ..self }
    }

    /// Adds a packet from or to `node`, if its bytes match its name.
    ///
    /// # Errors
    /// [`CommitError`]. Then the packet is removed, and the group is unchanged.
    pub(crate) fn add(
        &mut self,
        pending: Pending,
        expected: PacketHash,
        node: NodeId,
        about: T,
    ) -> std::result::Result<(), CommitError> {
        let mut packet = pending.close_expecting(expected)?;
        if !self.hdr {
            packet = packet.without_hdr();
        }
        packet.write_out();
        self.size += packet.size();
        self.members.push(Member { packet, node, about });
        Ok(())
    }

    /// True if the group holds this packet.
    pub(crate) fn holds(&self, hash: &PacketHash) -> bool {
        self.members.iter().any(|member| member.packet.hash() == *hash)
    }

    /// True if the group should be published.
    pub(crate) fn is_full(&self) -> bool {
        is_enough(self.members.len(), self.size)
    }

    /// Publishes all packets in the order in which they were added. Packets with an `Ok` result are
    /// durable, the others are removed. The group is empty afterwards.
    pub(crate) fn publish(&mut self) -> Vec<(T, Result<()>)> {
        self.size = 0;
        let (told, packets): (Vec<_>, Vec<_>) = std::mem::take(&mut self.members)
            .into_iter()
            .map(|Member { packet, node, about }| (about, (packet, node)))
            .unzip();
        let results = self.spool.name_all(
            packets,
            |(packet, _)| packet.sync(),
            |(packet, node)| packet.rename(&node, self.xx),
        );
        told.into_iter().zip(results).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::spool::testing::{NODE, TestSpool, packet};
    use packmule_protocol::mth;
    use std::io::Write;

    const OTHER: NodeId = NodeId([9; 32]);
    const PAYLOADS: [&[u8]; 3] = [b"one", b"two", b"three"];

    fn add(group: &mut Group<usize>, spool: &Spool, number: usize, node: NodeId) -> bool {
        let bytes = packet(5, PAYLOADS[number]);
        let Ok(mut pending) = spool.pending() else { return false };
        pending.write_all(&bytes).expect("gathered in memory");
        group.add(pending, PacketHash(mth::hash(&bytes)), node, number).is_ok()
    }

    #[test]
    fn stopped_at_any_step_what_is_told_to_be_there_is_whole() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let (results, reached) = fault::with(fault, at, || {
                let mut group = Group::new(&test.spool, Xx::Rx);
                for (number, node) in [(0, NODE), (1, NODE), (2, OTHER)] {
                    add(&mut group, &test.spool, number, node);
                }
                group.publish()
            });
            for (number, result) in results {
                let (bytes, node) =
                    (packet(5, PAYLOADS[number]), if number == 2 { OTHER } else { NODE });
                let path = test.spool.packet(&node, Xx::Rx, &PacketHash(mth::hash(&bytes)));
                match std::fs::read(path) {
                    Ok(found) => assert_eq!(found, bytes, "{fault:?} at {at}"),
                    Err(_) => assert!(result.is_err(), "{fault:?} at {at}"),
                }
            }
            reached
        });
    }

    #[test]
    fn nothing_is_visible_before_it_is_published() {
        let test = TestSpool::new();
        let mut group = Group::new(&test.spool, Xx::Rx);
        assert!(add(&mut group, &test.spool, 0, NODE));
        let hash = PacketHash(mth::hash(&packet(5, PAYLOADS[0])));
        assert!(group.holds(&hash) && !group.is_full());
        assert!(!test.spool.holds(&NODE, Xx::Rx, &hash));
        let results = group.publish();
        assert!(matches!(results[..], [(0, Ok(()))]));
        assert!(test.spool.holds(&NODE, Xx::Rx, &hash) && !group.holds(&hash));
        assert!(group.publish().is_empty());
    }

    #[test]
    fn under_a_wrong_name_it_is_refused() {
        let test = TestSpool::new();
        let mut group = Group::new(&test.spool, Xx::Rx);
        let mut pending = test.spool.pending().unwrap();
        pending.write_all(b"altered").unwrap();
        let result = group.add(pending, PacketHash([0; 32]), NODE, ());
        assert!(matches!(result, Err(CommitError::Mismatch { .. })));
        assert!(group.publish().is_empty());
        assert_eq!(test.files(), [""; 0]);
    }

    #[test]
    fn dropped_nothing_is_left() {
        let test = TestSpool::new();
        let mut group = Group::new(&test.spool, Xx::Rx);
        assert!(add(&mut group, &test.spool, 0, NODE));
        drop(group);
        assert_eq!(test.files(), [""; 0]);
    }
}
