//! The locks of a session: no other process receives from the neighbour or sends to it meanwhile.

use super::handshake::SetupError;
use super::registry::Seat;
use super::runtime::blocking;
use super::station::Station;
use super::terms::Terms;
use crate::config::Neighbour;
use crate::spool::{Lock, LockKind};
use std::sync::Arc;

/// What a session holds until it ends: its locks, and in a daemon its place.
#[derive(Debug, Default)]
pub(super) struct Locks {
    _held: Vec<Lock>,
    _seat: Option<Seat>,
}

impl Locks {
    pub(super) fn with_seat(self, seat: Seat) -> Self {
        Self { _seat: Some(seat), ..self }
    }
}

/// Takes the locks that the session needs, first `rx`, then `tx`. If another process holds one of
/// them, releases the other.
pub(super) async fn take(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    terms: &Terms,
) -> Result<Locks, SetupError> {
    let (spool, id, flow) = (station.spool.clone(), neighbour.id, terms.flow);
    blocking(move || {
        let mut locks = Vec::new();
        for (wanted, kind) in [(flow.receives(), LockKind::Rx), (flow.sends(), LockKind::Tx)] {
            if wanted {
                locks.push(spool.lock(&id, kind)?.ok_or(SetupError::Busy)?);
            }
        }
        Ok(Locks { _held: locks, _seat: None })
    })
    .await
}
