//! Removes packets once their effect is on disk.

use super::{Job, Spool, Xx};
use crate::disk::Result;
use packmule_protocol::id::{NodeId, PacketHash};
use std::io;

/// Whether to leave a mark that the packet was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Leave a mark, so that it is not received again.
    Mark,
    /// Leave no mark.
    Forget,
}

impl Spool {
    /// Removes a packet whose effect is on disk, and the copy of its header. Makes the seen mark
    /// durable first.
    ///
    /// # Errors
    /// Those of the disk. Then the packet stays, and toss may process it again.
    pub(crate) fn retire(&self, job: &Job, seen: Seen) -> Result<()> {
        if seen == Seen::Mark {
            self.mark_seen(&job.node, &job.hash)?;
        }
        if job.xx == Xx::Rx {
            // Before the removal, so that no call can fetch the packet again in between.
            self.0.retired.note(&job.node, &job.hash);
        }
        self.disk().remove_if_there(job.path())?;
        self.remove_hdr(&job.node, job.xx, job.file_name());
        Ok(())
    }

    /// Removes a packet durably, because another packet confirms it. The caller removes that packet
    /// afterwards. True if the packet existed.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn withdraw(&self, node: &NodeId, xx: Xx, hash: &PacketHash) -> Result<bool> {
        let there = self.remove_packet(node, xx, hash)?;
        match self.disk().sync_dir(&self.dir(node, xx)) {
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(there),
            // Sync even if it is gone: the process that removed it may have been killed before its sync.
            synced => synced.map(|()| there),
        }
    }

    /// Removes a packet that a peer confirmed to have. True if it existed.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn remove_packet(&self, node: &NodeId, xx: Xx, hash: &PacketHash) -> Result<bool> {
        let there = self.disk().remove_if_there(self.packet(node, xx, hash))?;
        self.remove_hdr(node, xx, &hash.to_string());
        Ok(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::spool::testing::{NODE, TestSpool};

    #[test]
    fn stopped_at_any_step_a_packet_that_is_gone_was_marked() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let hash = test.add(Xx::Rx, 5, b"payload");
            let job = test.spool.job(&NODE, Xx::Rx, &hash).unwrap().unwrap();
            let (_, reached) = fault::with(fault, at, || test.spool.retire(&job, Seen::Mark));
            let gone = !test.spool.holds(&NODE, Xx::Rx, &hash);
            assert!(!gone || test.spool.is_seen(&NODE, &hash), "{fault:?} at {at}");
            test.spool.retire(&job, Seen::Mark).unwrap();
            assert_eq!(test.files(), [format!("{NODE}/rx/seen/{hash}")], "{fault:?} at {at}");
            reached
        });
    }

    #[test]
    fn w8_a_mark_that_fails_keeps_the_packet() {
        let test = TestSpool::new();
        let hash = test.add(Xx::Rx, 5, b"payload");
        std::fs::write(test.spool.seen_dir(&NODE), b"in the way").unwrap();
        let job = test.spool.job(&NODE, Xx::Rx, &hash).unwrap().unwrap();
        assert!(test.spool.retire(&job, Seen::Mark).is_err());
        assert!(test.spool.holds(&NODE, Xx::Rx, &hash));
        test.spool.retire(&job, Seen::Forget).unwrap();
        assert!(!test.spool.holds(&NODE, Xx::Rx, &hash));
    }

    #[test]
    fn removing_what_is_gone_says_so() {
        let test = TestSpool::new();
        let hash = test.add(Xx::Tx, 5, b"payload");
        assert!(test.spool.remove_packet(&NODE, Xx::Tx, &hash).unwrap());
        assert!(!test.spool.remove_packet(&NODE, Xx::Tx, &hash).unwrap());
        assert_eq!(test.files(), [""; 0]);
    }
}
