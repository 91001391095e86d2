//! Packets that were handed over and are kept: out of `tx/`, and back into it.

use super::{Spool, Xx};
use crate::disk::{Result, parent};
use packmule_protocol::id::{NodeId, PacketHash};
use std::io;
use std::path::Path;

impl Spool {
    /// Moves a packet from the `tx/` of `node` to the path `to`; whether it was there. One renaming: after
    /// a power cut it is in one of the two places.
    ///
    /// # Errors
    /// Those of the disk. The packet is where it was.
    pub(crate) fn set_aside(&self, node: &NodeId, hash: &PacketHash, to: &Path) -> Result<bool> {
        self.ensure_dir(&parent(to))?;
        let there = found(self.disk().rename(self.packet(node, Xx::Tx, hash), to))?;
        if there {
            self.remove_hdr(node, Xx::Tx, &hash.to_string());
        }
        Ok(there)
    }

    /// Moves a packet from the path `from` back to the `tx/` of `node`; whether it was there.
    ///
    /// # Errors
    /// Those of the disk. The packet is where it was.
    pub(crate) fn put_back(&self, from: &Path, node: &NodeId, hash: &PacketHash) -> Result<bool> {
        self.ensure_dir(&self.dir(node, Xx::Tx))?;
        found(self.disk().rename(from, self.packet(node, Xx::Tx, hash)))
    }
}

fn found(renamed: Result<()>) -> Result<bool> {
    match renamed {
        Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::spool::testing::{NODE, TestSpool};

    #[test]
    fn stopped_at_any_step_a_packet_is_in_one_of_two_places() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let hash = test.add(Xx::Tx, 5, b"payload");
            let aside = test.spool.ledger_dir().join("held").join(hash.to_string());
            let (moved, reached) = fault::with(fault, at, || {
                let out = test.spool.set_aside(&NODE, &hash, &aside)?;
                let back = test.spool.put_back(&aside, &NODE, &hash)?;
                Ok::<_, crate::disk::DiskError>(out && back)
            });
            let there = test.spool.holds(&NODE, Xx::Tx, &hash);
            assert!(there != aside.exists(), "{fault:?} at {at}");
            assert!(moved.is_err() || there, "{fault:?} at {at}");
            test.spool.set_aside(&NODE, &hash, &aside).unwrap();
            assert_eq!(test.spool.jobs(&NODE, Xx::Tx).unwrap().len(), 0);
            assert!(!test.spool.set_aside(&NODE, &hash, &aside).unwrap());
            assert!(test.spool.put_back(&aside, &NODE, &hash).unwrap());
            assert_eq!(test.spool.jobs(&NODE, Xx::Tx).unwrap().len(), 1);
            reached
        });
    }
}
