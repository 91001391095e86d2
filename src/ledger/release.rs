//! Packets that were handed over leave `tx/`: to where they are kept, or for good.

use super::entry::{Handed, HandedBy};
use super::store::{Ledger, Result};
use crate::spool::{Job, Seen, Xx};
use packmule_protocol::id::{NodeId, PacketHash};

impl Ledger {
    /// Takes a packet out of `tx/` that was handed over, durably: it is kept if it is followed.
    ///
    /// # Errors
    /// Those of the disk. The packet is still there, or kept.
    pub(crate) fn release(&self, job: &Job, by: HandedBy, now: i64) -> Result<()> {
        let handed = Handed { at: now, by, medium: None };
        if !self.exists() || !self.hand_over(&job.node, &job.hash, handed)? {
            self.spool.retire(job, Seen::Forget)?;
        }
        Ok(())
    }

    /// Does the same with a packet that is known by its name; whether it was there, or was kept before.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn release_named(
        &self,
        hop: &NodeId,
        name: &PacketHash,
        by: HandedBy,
        now: i64,
    ) -> Result<bool> {
        let handed = Handed { at: now, by, medium: None };
        if self.exists() && self.hand_over(hop, name, handed)? {
            if by == HandedBy::Call {
                // It says so itself.
                self.note_got(hop, name, now)?;
            }
            return Ok(true);
        }
        Ok(self.spool.remove_packet(hop, Xx::Tx, name)?)
    }
}
