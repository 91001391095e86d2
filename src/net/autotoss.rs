//! Tossing during a session: what arrived is acted upon while more arrives.

use super::station::{Station, Terms, TossDuringCall};
use super::talk::blocking;
use crate::config::{Autotoss, Neighbour, Node};
use packmule_protocol::niceness::Niceness;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One toss after another, with at least so much between them.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells that a packet arrived.
#[derive(Clone)]
pub(super) struct Arrivals(watch::Sender<u64>);

impl Arrivals {
    pub(super) fn note(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// The tossing of a session.
pub(super) struct Tosser {
    arrivals: Arrivals,
    task: Option<JoinHandle<bool>>,
}

/// What is tossed, and how.
struct Toss {
    toss: TossDuringCall,
    node: Arc<Node>,
    neighbour: Neighbour,
    autotoss: Autotoss,
    limit: Niceness,
}

impl Tosser {
    /// Starts tossing, if the terms ask for it.
    pub(super) fn start(station: &Station, neighbour: &Neighbour, terms: &Terms) -> Self {
        let (sender, receiver) = watch::channel(0);
        let task = terms.autotoss.zip(station.toss.clone()).map(|(autotoss, toss)| {
            let neighbour = neighbour.clone();
            let node = station.node();
            let toss = Toss { toss, node, neighbour, autotoss, limit: terms.limit };
            tokio::spawn(run(Arc::new(toss), receiver))
        });
        Self { arrivals: Arrivals(sender), task }
    }

    pub(super) fn arrivals(&self) -> Arrivals {
        self.arrivals.clone()
    }

    /// Tosses what arrived last; whether all packets of the session went well. Ends when whoever
    /// tells of arrivals is gone.
    pub(super) async fn finish(self) -> bool {
        drop(self.arrivals);
        match self.task {
            Some(task) => task.await.unwrap_or(false),
            None => true,
        }
    }
}

impl Toss {
    fn run(&self) -> bool {
        (self.toss)(&self.node, &self.neighbour, self.autotoss, self.limit)
    }
}

/// One toss at the start and one after each arrival, the last one too, until nobody is left to
/// tell of arrivals.
async fn run(toss: Arc<Toss>, mut arrivals: watch::Receiver<u64>) -> bool {
    let mut tossed = None;
    let mut well = true;
    loop {
        let count = *arrivals.borrow_and_update();
        if tossed != Some(count) {
            tossed = Some(count);
            let toss = Arc::clone(&toss);
            well &= blocking(move || toss.run()).await;
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        if arrivals.changed().await.is_err() && tossed == Some(*arrivals.borrow()) {
            return well;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn what_arrived_last_is_tossed_too() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let toss: TossDuringCall =
            Arc::new(move |_, _, _, _| counted.fetch_add(1, Ordering::Relaxed) != 1);
        let (sender, receiver) = watch::channel(0);
        let arrivals = Arrivals(sender);
        let neighbour = testing::neighbour("bob", 2);
        let node = Arc::new(testing::node([neighbour.clone()]));
        let toss =
            Toss { toss, node, neighbour, autotoss: Autotoss::default(), limit: Niceness::MAX };
        let task = tokio::spawn(run(Arc::new(toss), receiver));
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(count.load(Ordering::Relaxed), 1, "at the start");
        arrivals.note();
        arrivals.note();
        drop(arrivals);
        assert!(!task.await.unwrap(), "the second toss went wrong");
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
}
