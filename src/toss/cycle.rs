//! Tossing again and again: at once, whenever something has arrived, and now and then for what
//! waits.

use super::options::Toss;
use super::report::Report;
use crate::config::Neighbour;
use crate::spool::Xx;
use packmule_protocol::id::{NodeId, PacketHash};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How often a raised stop flag is noticed.
const BEAT: Duration = Duration::from_millis(200);
/// After so long what waits is tried again, then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest such pause.
const LAST_PAUSE: Duration = Duration::from_secs(3600);

/// What is known of each queue.
#[derive(Default)]
struct Known(HashMap<NodeId, Queue>);

/// A queue, as it was found last.
#[derive(Default)]
struct Queue {
    /// What was in it; `None` before the first look.
    names: Option<HashSet<PacketHash>>,
    /// When what waits in it is tried again, and the pause before that; `None` when nothing waits.
    again: Option<(Instant, Duration)>,
}

impl Toss<'_> {
    /// Tosses the packets of `neighbours`, and again every `period` for those that got new ones,
    /// until the stop flag is raised. What was deferred is tried again when a packet arrives from
    /// any of them, and after a while; what failed, when another arrives from the same one.
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

    /// Names of the packets that a toss would look at. Of a directory that can not be read nothing
    /// is known.
    fn queued(&self, neighbour: &Neighbour) -> HashSet<PacketHash> {
        let own = neighbour.id == self.local.node.self_neighbour().id;
        let directions: &[_] = if own { &[Xx::Rx, Xx::Tx] } else { &[Xx::Rx] };
        let names = |xx: &Xx| self.local.spool.hashes(&neighbour.id, *xx).unwrap_or_default();
        directions.iter().flat_map(names).collect()
    }
}

impl Known {
    /// Whether there is a packet that was not there before.
    fn has_new(&mut self, node: NodeId, queued: HashSet<PacketHash>) -> bool {
        let queue = self.0.entry(node).or_default();
        let is_new = |before: &HashSet<_>| queued.iter().any(|name| !before.contains(name));
        let news = queue.names.as_ref().is_none_or(is_new);
        queue.names = Some(queued);
        news
    }

    /// Whether a queue is to be tossed, when these have new packets.
    fn is_due(&self, node: NodeId, news: &HashSet<NodeId>, now: Instant) -> bool {
        let again = self.0.get(&node).and_then(|queue| queue.again);
        // What arrived elsewhere may be what something here waits for.
        news.contains(&node) || again.is_some_and(|(at, _)| !news.is_empty() || at <= now)
    }

    /// A queue was tossed: whether something waits in it, and whether something went on.
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
