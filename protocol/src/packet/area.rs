//! Messages of an area: the manual's "Multicast areas".
//!
//! A message is an ordinary packet whose recipient is the area, so [`Sealer`](super::Sealer) and
//! [`Opener`](super::Opener) do the work; it travels as the payload of [`Kind::Area`] packets.

use super::kind::Kind;
use super::seal::Recipient;
use crate::id::{AreaId, NodeId};
use crate::keys::ExchangePublic;

/// The area as a packet's recipient.
pub fn recipient(area: &AreaId, key: ExchangePublic) -> Recipient {
    Recipient { id: NodeId(area.0), key }
}

/// Whether a packet of this kind may be a message. The reference also relays trns and chokes on
/// acks found there; neither has a meaning inside an area.
pub fn allows(kind: Kind) -> bool {
    matches!(kind, Kind::File | Kind::Exec | Kind::ExecFat)
}
