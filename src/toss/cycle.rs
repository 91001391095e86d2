//! Tosses repeatedly: at once, whenever a packet has arrived, and from time to time for packets
//! that wait.

use super::options::Toss;
use super::report::Report;
use crate::config::Neighbour;
use crate::spool::Xx;
use packmule_protocol::id::{NodeId, PacketHash};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Interval for checking the stop flag.
const BEAT: Duration = Duration::from_millis(200);
/// First pause before waiting packets are tried again. The pause doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest such pause.
const LAST_PAUSE: Duration = Duration::from_secs(3600);

/// The last known state of each queue.
#[derive(Default)]
struct Known(HashMap<NodeId, Queue>);

/// The last known state of a queue.
#[derive(Default)]
struct Queue {
    /// The packets in it; `None` before it was listed.
    names: Option<HashSet<PacketHash>>,
    /// When to try its waiting packets again, and the last pause; `None` if no packet waits.
    again: Option<(Instant, Duration)>,
}

impl Toss<'_> {
    /// Tosses the packets of `neighbours`, and every `period` again those queues that have new
    /// packets, until the stop flag is set. A deferred packet is tried again when a packet arrives
    /// from any of the neighbours, and after a while; a failed one, when another packet arrives
    /// from the same neighbour.
    pub fn cycle(
        &self,
        neighbours: &[&Neighbour],
        period: Duration,
        mut each: impl FnMut(&Neighbour, Report),
    ) {
        let mut known = Known::default();
        loop {
            let started = Instant::now();
            let mut news = HashSet::new();
            for neighbour in neighbours {
                if known.has_new(neighbour.id, self.queued(neighbour)) {
                    news.insert(neighbour.id);
                }
            }
            let is_due = |neighbour: &&&Neighbour| known.is_due(neighbour.id, &news, started);
            let due: Vec<_> = neighbours.iter().filter(is_due).copied().collect();
            self.run_all(&due, |neighbour, report| {
                let is_news = news.contains(&neighbour.id) || report.done > 0;
                known.tossed(neighbour.id, report.is_open(), is_news, Instant::now());
                each(neighbour, report);
            });
            while started.elapsed() < period {
                if self.is_stopped() {
                    return;
                }
                std::thread::sleep(BEAT.min(period.saturating_sub(started.elapsed())));
            }
            if self.is_stopped() {
                return;
            }
        }
    }

    /// The packets that a toss would process. Empty if the directory cannot be read.
    fn queued(&self, neighbour: &Neighbour) -> HashSet<PacketHash> {
        let own = neighbour.id == self.local.node.self_neighbour().id;
        let directions: &[_] = if own { &[Xx::Rx, Xx::Tx] } else { &[Xx::Rx] };
        let names = |xx: &Xx| self.local.spool.hashes(&neighbour.id, *xx).unwrap_or_default();
        directions.iter().flat_map(names).collect()
    }
}

impl Known {
    /// True if the queue has a packet that it did not have before.
    fn has_new(&mut self, node: NodeId, queued: HashSet<PacketHash>) -> bool {
        let queue = self.0.entry(node).or_default();
        let is_new = |before: &HashSet<_>| queued.iter().any(|name| !before.contains(name));
        let news = queue.names.as_ref().is_none_or(is_new);
        queue.names = Some(queued);
        news
    }

    /// True if a queue has to be tossed; `news` are the neighbours with new packets.
    fn is_due(&self, node: NodeId, news: &HashSet<NodeId>, now: Instant) -> bool {
        let again = self.0.get(&node).and_then(|queue| queue.again);
        // A packet from another neighbour may be what a packet in this queue waits for.
        news.contains(&node) || again.is_some_and(|(at, _)| !news.is_empty() || at <= now)
    }

    /// Notes a toss: whether packets wait in the queue, and whether any were processed.
    fn tossed(&mut self, node: NodeId, is_open: bool, is_news: bool, now: Instant) {
        let queue = self.0.entry(node).or_default();
        let pause = match queue.again {
            Some((_, pause)) if !is_news => LAST_PAUSE.min(pause * 2),
            _ => FIRST_PAUSE,
        };
        queue.again = is_open.then_some((now + pause, pause));
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

    #[test]
    fn what_waits_is_tried_again_after_longer_and_longer() {
        let (a, b) = (NodeId([1; 32]), NodeId([2; 32]));
        let nothing = HashSet::new();
        let mut known = Known::default();
        let start = Instant::now();
        let later = |minutes: u64| start + Duration::from_secs(60 * minutes);
        assert!(!known.is_due(a, &nothing, later(99)), "nothing waits");
        known.tossed(a, true, true, start);
        assert!(!known.is_due(a, &nothing, start));
        assert!(known.is_due(a, &nothing, later(1)));
        assert!(known.is_due(a, &HashSet::from([b]), start), "it may be what is waited for");
        assert!(!known.is_due(b, &HashSet::from([a]), later(99)));
        known.tossed(a, true, false, later(1));
        assert!(!known.is_due(a, &nothing, later(2)) && known.is_due(a, &nothing, later(3)));
        (0..9).for_each(|_| known.tossed(a, true, false, start));
        assert!(!known.is_due(a, &nothing, later(59)) && known.is_due(a, &nothing, later(60)));
        known.tossed(a, true, true, start);
        assert!(known.is_due(a, &nothing, later(1)), "something went on");
        known.tossed(a, false, false, start);
        assert!(!known.is_due(a, &nothing, later(99)), "nothing waits any more");
    }
}
