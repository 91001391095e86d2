//! Tosses during a session: processes packets while more of them arrive.

use super::runtime::blocking;
use super::station::{Station, TossDuringCall, Tossed};
use super::terms::Terms;
use super::turns::Turn;
use crate::config::{Autotoss, Neighbour};
use crate::local::Local;
use packmule_protocol::niceness::Niceness;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Minimum pause between two tosses.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum pause while another process tosses for the neighbour.
const LONG_PAUSE: Duration = Duration::from_secs(64);

/// Signals that a packet arrived.
#[derive(Clone)]
pub(super) struct Arrivals(watch::Sender<u64>);

impl Arrivals {
    pub(super) fn note(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// The tosses of a session.
pub(super) struct Tosser {
    arrivals: Arrivals,
    task: Option<JoinHandle<bool>>,
}

/// What to toss, and how.
struct Toss {
    toss: TossDuringCall,
    local: Local,
    neighbour: Neighbour,
    autotoss: Autotoss,
    limit: Niceness,
    turn: Turn,
}

impl Tosser {
    /// Starts tossing, if the terms ask for it.
    pub(super) fn start(station: &Station, neighbour: &Neighbour, terms: &Terms) -> Self {
        let (sender, receiver) = watch::channel(0);
        let task = terms.autotoss.zip(station.toss.clone()).map(|(autotoss, toss)| {
            let neighbour = neighbour.clone();
            let local = station.local();
            let turn = station.turns.of(neighbour.id);
            let toss = Toss { toss, local, neighbour, autotoss, limit: terms.limit, turn };
            tokio::spawn(run(Arc::new(toss), receiver))
        });
        Self { arrivals: Arrivals(sender), task }
    }

    pub(super) fn arrivals(&self) -> Arrivals {
        self.arrivals.clone()
    }

    /// Tosses what arrived last. Returns true if all packets of the session were processed
    /// successfully. Ends when all senders of arrivals are dropped.
    pub(super) async fn finish(self) -> bool {
        drop(self.arrivals);
        match self.task {
            Some(task) => task.await.unwrap_or(false),
            None => true,
        }
    }
}

impl Toss {
    fn run(&self) -> Tossed {
        (self.toss)(&self.local, &self.neighbour, self.autotoss, self.limit)
    }
}

/// Tosses once at the start and once after each arrival, including the last one, until all senders
/// of arrivals are dropped.
async fn run(toss: Arc<Toss>, mut arrivals: watch::Receiver<u64>) -> bool {
    let mut tossed = None;
    let mut well = true;
    let mut pause = PAUSE;
    loop {
        let count = *arrivals.borrow_and_update();
        if tossed != Some(count) {
            let result = {
                let _turn = toss.turn.lock().await;
                let toss = Arc::clone(&toss);
                blocking(move || toss.run()).await
            };
            well &= result.well;
            let is_over = arrivals.has_changed().is_err();
            if !result.busy || is_over {
                tossed = Some(count);
                pause = PAUSE;
            }
            tokio::time::sleep(pause).await;
            if result.busy {
                pause = (pause * 2).min(LONG_PAUSE);
            }
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
    use crate::log::Log;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const WELL: Tossed = Tossed { well: true, busy: false };

    fn toss(toss: TossDuringCall) -> Arc<Toss> {
        let neighbour = testing::neighbour("bob", 2);
        let local = Local::new(testing::node([neighbour.clone()]), Log::none(), false);
        let (autotoss, limit) = (Autotoss::default(), Niceness::MAX);
        Arc::new(Toss { toss, local, neighbour, autotoss, limit, turn: Turn::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrived_last_is_tossed_too() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let toss = toss(Arc::new(move |_, _, _, _| {
            let well = counted.fetch_add(1, Ordering::Relaxed) != 1;
            Tossed { well, ..WELL }
        }));
        let (sender, receiver) = watch::channel(0);
        let arrivals = Arrivals(sender);
        let task = tokio::spawn(run(toss, receiver));
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(count.load(Ordering::Relaxed), 1, "at the start");
        arrivals.note();
        arrivals.note();
        drop(arrivals);
        assert!(!task.await.unwrap(), "the second toss went wrong");
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn while_another_process_tosses_it_is_tried_again() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let toss = toss(Arc::new(move |_, _, _, _| {
            let busy = counted.fetch_add(1, Ordering::Relaxed) < 3;
            Tossed { busy, ..WELL }
        }));
        let (sender, receiver) = watch::channel(0);
        let task = tokio::spawn(run(toss, receiver));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(count.load(Ordering::Relaxed), 4, "until it works, and then no more");
        drop(sender);
        assert!(task.await.unwrap());
    }
}
