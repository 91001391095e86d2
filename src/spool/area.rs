//! Marks of area messages that were sent to a subscriber, or processed by this node.

use super::{Spool, Xx};
use crate::disk::{self, Before, Named, Result};
use packmule_protocol::id::{AreaId, AreaMessageId, NodeId, PacketHash};
use std::path::PathBuf;

/// A record that a copy of a message is being queued for a subscriber.
struct Intent {
    hop: NodeId,
    copy: PacketHash,
    /// The file of the record.
    path: PathBuf,
}

impl Spool {
    /// Marks durably that an area message was sent to `node`, or, for our own id, processed. Renames
    /// the [intent](Spool::intend_area_copy), if there is one, to the mark.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn mark_area(
        &self,
        node: &NodeId,
        area: &AreaId,
        message: &AreaMessageId,
    ) -> Result<()> {
        let dir = self.area_dir(node, area);
        let mut intents = self.intents(node, area, message)?;
        let Some(Intent { path: intent, .. }) = intents.pop() else {
            return self.mark(&dir, &message.to_string());
        };
        for other in intents {
            self.disk().remove_if_there(&other.path)?;
        }
        let mark = self.area_mark(node, area, message);
        self.disk().publish(|| {
            self.disk().rename(&intent, &mark)?;
            Ok((Named::new(mark, Before::Name(intent.into())), ()))
        })
    }

    /// True if an area message was sent to `node`, or, for our own id, processed.
    ///
    /// If a crash came between queueing the message and its mark, this finds the packet that the
    /// intent names in `tx/`, and writes the mark now.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn has_area_mark(
        &self,
        node: &NodeId,
        area: &AreaId,
        message: &AreaMessageId,
    ) -> Result<bool> {
        if self.area_mark(node, area, message).symlink_metadata().is_ok() {
            return Ok(true);
        }
        for Intent { hop, copy, path } in self.intents(node, area, message)? {
            if self.has_good(&hop, Xx::Tx, copy)? {
                self.mark_area(node, area, message)?;
                return Ok(true);
            }
            // The packet was never published, or is damaged: the caller queues the message again.
            self.disk().remove_if_there(&path)?;
        }
        Ok(false)
    }

    /// Records durably that the packet `copy` carries the message to the subscriber `node`. The caller
    /// then publishes `copy` in the `tx/` of `hop`, the first hop on the route.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn intend_area_copy(
        &self,
        node: &NodeId,
        area: &AreaId,
        message: &AreaMessageId,
        hop: &NodeId,
        copy: PacketHash,
    ) -> Result<()> {
        self.mark(&self.area_intents_dir(node, area), &format!("{message}.{hop}.{copy}"))
    }

    /// The intents for `node`.
    fn intents(
        &self,
        node: &NodeId,
        area: &AreaId,
        message: &AreaMessageId,
    ) -> Result<Vec<Intent>> {
        let prefix = format!("{message}.");
        let intent = |path: PathBuf| {
            let rest = path.file_name()?.to_str()?.strip_prefix(&prefix)?;
            let (hop, copy) = rest.split_once('.')?;
            let hop = NodeId::from_file_name(hop)?;
            Some(Intent { hop, copy: PacketHash::from_file_name(copy)?, path })
        };
        let files = disk::files(&self.area_intents_dir(node, area))?;
        Ok(files.into_iter().filter_map(intent).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::log::Log;
    use crate::spool::Options;
    use std::io::Write;

    const NODE: NodeId = NodeId([1; 32]);
    const HOP: NodeId = NodeId([4; 32]);
    const AREA: AreaId = AreaId([2; 32]);
    const MESSAGE: AreaMessageId = AreaMessageId([3; 32]);

    fn echo(spool: &Spool) -> Result<()> {
        if spool.has_area_mark(&NODE, &AREA, &MESSAGE)? {
            return Ok(());
        }
        let mut copy = spool.pending()?;
        // Encryption is randomised, so each copy has another name.
        let now = std::time::Instant::now();
        copy.write_all(format!("{now:?}").as_bytes()).map_err(|e| panic_disk(&e))?;
        let copy = copy.finish()?;
        spool.intend_area_copy(&NODE, &AREA, &MESSAGE, &HOP, copy.hash())?;
        copy.publish(&HOP, Xx::Tx, None)?;
        spool.mark_area(&NODE, &AREA, &MESSAGE)
    }

    fn panic_disk(error: &std::io::Error) -> disk::DiskError {
        panic!("{error}")
    }

    #[test]
    fn w6_stopped_at_any_step_no_second_copy_is_sent() {
        fault::at_each_step(|fault, at| {
            let dir = tempfile::tempdir().unwrap();
            let spool = Spool::new(dir.path(), Options::default(), Log::none());
            let (_, reached) = fault::with(fault, at, || echo(&spool));
            echo(&spool).unwrap();
            echo(&spool).unwrap();
            let copies = disk::files(&spool.dir(&HOP, Xx::Tx)).unwrap();
            assert_eq!(copies.len(), 1, "{fault:?} at {at}");
            let marks = disk::files(&spool.area_dir(&NODE, &AREA)).unwrap();
            assert_eq!(marks, [spool.area_mark(&NODE, &AREA, &MESSAGE)], "{fault:?} at {at}");
            assert!(spool.intents(&NODE, &AREA, &MESSAGE).unwrap().is_empty());
            assert!(!spool.has_area_mark(&HOP, &AREA, &MESSAGE).unwrap(), "the hop had it not");
            reached
        });
    }
}
