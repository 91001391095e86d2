//! How much waits in the spool, for the figures.

use super::station::Station;
use super::talk::blocking;
use crate::spool::Xx;
use std::sync::Arc;

/// What waits in one direction of a neighbour's spool.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) node: String,
    pub(super) xx: Xx,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Age of the oldest packet, in seconds.
    pub(super) oldest: u64,
}

/// Every direction of every neighbour. `turn` is held until the spool is listed, also if nobody
/// waits for the answer any more.
pub(super) async fn queues(station: &Arc<Station>, turn: impl Send + 'static) -> Vec<Queue> {
    let station = Arc::clone(station);
    blocking(move || {
        let _turn = turn;
        let node = station.node();
        let now = jiff::Timestamp::now().as_second();
        let mut queues = Vec::new();
        for neighbour in node.neighbours.values() {
            for xx in [Xx::Rx, Xx::Tx] {
                let jobs = station.spool.listing(&neighbour.id, xx).unwrap_or_default().jobs;
                let oldest = jobs.iter().map(|job| job.modified.0).min();
                let age = oldest.map_or(0, |oldest| now.saturating_sub(oldest));
                queues.push(Queue {
                    node: neighbour.name.clone(),
                    xx,
                    packets: jobs.len() as u64,
                    bytes: jobs.iter().map(|job| job.size).sum(),
                    oldest: u64::try_from(age).unwrap_or(0),
                });
            }
        }
        queues
    })
    .await
}
