//! The lengths of the queues, for metrics.

use super::runtime::blocking;
use super::station::Station;
use crate::age;
use crate::spool::{Totals, Xx};
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
                let totals = station.spool.totals(&neighbour.id, xx).unwrap_or_default();
                let Totals { packets, bytes, oldest, newest, .. } = totals;
                let age = |then: Option<i64>| then.map_or(Some(0), |then| age::seconds(now, then));
                let oldest = age(newest).and(age(oldest));
                queues.push(Queue { node: neighbour.name.clone(), xx, packets, bytes, oldest });
            }
        }
        queues
    })
    .await
}
