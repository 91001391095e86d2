//! The options of one side of a session. The peer does not learn them.

use crate::id::PacketHash;
use crate::niceness::Niceness;
use std::collections::BTreeSet;
use std::time::Duration;

/// The direction in which packets are transferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flow {
    /// Both directions.
    #[default]
    Both,
    /// Only from the peer.
    Receive,
    /// Only to the peer.
    Send,
    /// None: this side lists what the peer offers, and does not answer.
    List,
}

impl Flow {
    /// True if this side offers and sends packets.
    pub fn sends(self) -> bool {
        matches!(self, Self::Both | Self::Send)
    }

    /// True if this side requests packets.
    pub fn receives(self) -> bool {
        matches!(self, Self::Both | Self::Receive)
    }
}

/// What a session does, and when it ends. Start from the default and change what you need.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The direction in which packets are transferred.
    pub flow: Flow,
    /// Packets with a greater niceness are not transferred.
    pub limit: Niceness,
    /// If present, only these packets are requested.
    pub only: Option<BTreeSet<PacketHash>>,
    /// Limit for messages read per second; 0 for none.
    pub rxrate: u64,
    /// Limit for chunks sent per second; 0 for none.
    pub txrate: u64,
    /// The session ends after this time without useful messages in either direction.
    pub onlinedeadline: Duration,
    /// The session ends after this time in any case.
    pub maxonlinetime: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flow: Flow::Both,
            limit: Niceness::MAX,
            only: None,
            rxrate: 0,
            txrate: 0,
            onlinedeadline: super::DEADLINE,
            maxonlinetime: None,
        }
    }
}

/// The pause between messages for a rate per second; `None` for no limit.
pub(super) fn pause(rate: u64) -> Option<Duration> {
    (rate > 0).then(|| Duration::from_secs(1) / u32::try_from(rate).unwrap_or(u32::MAX))
}
