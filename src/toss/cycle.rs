//! Tossing again and again: at once, and then whenever something has arrived.

use super::{Report, Toss};
use crate::config::Neighbour;
use crate::spool::{DiskError, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often a raised stop flag is noticed.
const BEAT: Duration = Duration::from_millis(200);

/// What was in the queues when they were last looked at.
#[derive(Default)]
struct Known(HashMap<NodeId, HashSet<PacketHash>>);

impl Toss<'_> {
    /// Tosses the packets of `neighbours`, and again every `period` for those that got new ones,
    /// until the stop flag is raised. A packet that failed is tried again when another arrives.
    ///
    /// # Errors
    /// When a directory can not be locked or listed.
    pub fn cycle(
        &self,
        neighbours: &[&Neighbour],
        period: Duration,
        mut each: impl FnMut(&Neighbour, Report),
    ) -> Result<(), DiskError> {
        let mut known = Known::default();
        loop {
            let started = Instant::now();
            for neighbour in neighbours {
                let queued = self.queued(neighbour)?;
                if known.has_new(neighbour.id, queued) {
                    each(neighbour, self.run(neighbour)?);
                }
            }
            while started.elapsed() < period {
                if self.options.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                std::thread::sleep(BEAT.min(period.saturating_sub(started.elapsed())));
            }
            if self.options.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
    }

    /// Names of the packets that a toss would look at.
    fn queued(&self, neighbour: &Neighbour) -> Result<HashSet<PacketHash>, DiskError> {
        let spool = self.outbox.spool;
        let mut jobs = spool.list(&neighbour.id, Xx::Rx)?;
        if neighbour.id == self.outbox.node.self_neighbour().id {
            jobs.extend(spool.list(&neighbour.id, Xx::Tx)?);
        }
        Ok(jobs.into_iter().map(|job| job.hash).collect())
    }
}

impl Known {
    /// Whether there is a packet that was not there before.
    fn has_new(&mut self, node: NodeId, queued: HashSet<PacketHash>) -> bool {
        let before = self.0.insert(node, queued);
        let now = &self.0[&node];
        before.is_none_or(|before| now.iter().any(|name| !before.contains(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_name_is_news() {
        let names = |bytes: &[u8]| bytes.iter().map(|byte| PacketHash([*byte; 32])).collect();
        let mut known = Known::default();
        let node = NodeId([0; 32]);
        assert!(known.has_new(node, names(&[])), "the first look always tosses");
        assert!(!known.has_new(node, names(&[])));
        assert!(known.has_new(node, names(&[1])));
        assert!(!known.has_new(node, names(&[1])), "a packet that failed is not news");
        assert!(!known.has_new(node, names(&[])));
        assert!(known.has_new(node, names(&[1])), "the same name, but again");
    }
}
