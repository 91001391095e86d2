//! The offers to the peer at the start of a session, and their log records.

use super::handshake::SetupError;
use super::outbound;
use super::runtime::blocking;
use super::station::Station;
use super::terms::Terms;
use crate::config::Neighbour;
use crate::log::online::Online;
use crate::outbound::Moment;
use packmule_protocol::sync::{Offer, Total};
use std::sync::Arc;

/// The packets that are queued for the neighbour.
pub(super) async fn waiting(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    terms: &Terms,
) -> Result<Vec<Offer>, SetupError> {
    if !terms.flow.sends() {
        return Ok(Vec::new());
    }
    let (local, id) = (station.local(), neighbour.id);
    let offers = move || {
        // What fails is logged, and keeps no other packet here.
        local.speak(Moment::Leaving);
        outbound::offers(&local.spool, &id)
    };
    Ok(blocking(offers).await?)
}

/// Logs the packets that are about to be announced.
pub(super) fn tell(station: &Station, neighbour: &Neighbour, terms: &Terms, offers: &[Offer]) {
    let within = offers.iter().filter(|offer| offer.nice <= terms.limit);
    let (packets, bytes) =
        within.fold((0, 0), |(packets, bytes), offer| (packets + 1, bytes + offer.size));
    tell_total(station, neighbour, terms, Total { packets, bytes });
}

/// Logs the packets that were announced, if there are any.
pub(super) fn tell_total(
    station: &Station,
    neighbour: &Neighbour,
    terms: &Terms,
    announced: Total,
) {
    if announced.packets > 0 {
        let online = Online { peer: neighbour.peer(), limit: terms.limit };
        station.log.info(online.announced(announced.packets, announced.bytes));
    }
}
