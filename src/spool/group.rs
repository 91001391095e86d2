//! Packets that become durable together: the disk is waited for once, not once for each.

use super::{CommitError, Finished, Pending, Spool, Xx};
use crate::disk::Result;
use packmule_protocol::id::{NodeId, PacketHash};
use rustix::process::{Resource, getrlimit};

/// How many packets wait at most: each is an open file.
const PACKETS: usize = 64;
/// How many bytes are waited for at once, about: what a crash costs is to copy them once more.
pub(crate) const SETTLE: u64 = 64 << 20;

/// Whether so many packets of so many bytes are enough to wait for the disk once.
pub(crate) fn is_enough(packets: usize, bytes: u64) -> bool {
    packets >= PACKETS.min(files_at_once()) || bytes >= SETTLE
}

/// How many files may be held open for one purpose: a quarter of what the system lets us have.
pub(crate) fn files_at_once() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).unwrap_or(usize::MAX).max(1)
}

/// Packets whose names wait until their bytes are on disk. Dropped, they vanish. `T` is what the
/// caller wants to be told of each again.
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

    /// Takes a packet from or to `node` that came under a name, if it is what the name says.
    ///
    /// # Errors
    /// [`CommitError`]; the packet is gone then, and the group as before.
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

    /// Whether a packet waits here.
    pub(crate) fn holds(&self, hash: &PacketHash) -> bool {
        self.members.iter().any(|member| member.packet.hash() == *hash)
    }

    /// Whether it is time to publish.
    pub(crate) fn is_full(&self) -> bool {
        is_enough(self.members.len(), self.size)
    }

    /// Publishes all, in the order they came. A packet whose result is good is durable; the others
    /// are gone. The group is empty afterwards.
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
