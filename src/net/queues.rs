//! The lengths of the queues, for metrics.

use super::runtime::blocking;
use super::station::Station;
use crate::age;
use crate::spool::Xx;
use std::sync::Arc;

/// The queue of a neighbour in one direction.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) node: String,
    pub(super) xx: Xx,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Age of the oldest packet in seconds; `None` if it is from the future by this machine's
    /// clock.
    pub(super) oldest: Option<u64>,
}

/// The queues of all neighbours in both directions. Holds `turn` until the spool is listed, even if
/// the client has hung up.
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
                let ages = jobs.iter().map(|job| age::seconds(now, job.modified.0));
                let oldest = ages.collect::<Option<Vec<_>>>();
                queues.push(Queue {
                    node: neighbour.name.clone(),
                    xx,
                    packets: jobs.len() as u64,
                    bytes: jobs.iter().map(|job| job.size).sum(),
                    oldest: oldest.map(|ages| ages.into_iter().max().unwrap_or(0)),
                });
            }
        }
        queues
    })
    .await
}
