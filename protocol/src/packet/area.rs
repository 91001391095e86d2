//! Messages of an area. NNCP manual, "Multicast areas".
//!
//! A message is an ordinary packet whose recipient is the area, so [`Sealer`](super::Sealer) and
//! [`Opener`](super::Opener) do the work; it travels as the payload of [`Kind::Area`](super::Kind::Area) packets.

use super::seal::Recipient;
use crate::id::{AreaId, NodeId};
use crate::keys::ExchangePublic;

/// The area as a packet's recipient.
pub fn recipient(area: &AreaId, key: ExchangePublic) -> Recipient {
    Recipient { id: NodeId(area.0), key }
}
