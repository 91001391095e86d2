//! What one side of a session is willing to do. The peer is never told.

use crate::id::PacketHash;
use crate::niceness::Niceness;
use std::collections::BTreeSet;
use std::time::Duration;

/// Which way packets go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flow {
    /// Both ways.
    #[default]
    Both,
    /// Only to us.
    Receive,
    /// Only to the peer.
    Send,
    /// Neither: we look at what the peer holds for us, and answer nothing.
    List,
}

impl Flow {
    /// Whether packets of ours are offered and sent.
    pub fn sends(self) -> bool {
        matches!(self, Self::Both | Self::Send)
    }

    /// Whether the peer's packets are fetched.
    pub fn receives(self) -> bool {
        matches!(self, Self::Both | Self::Receive)
    }
}

/// What a session does and when it ends. Start from the default, and change what you need.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Which way packets go.
    pub flow: Flow,
    /// Packets above this niceness stay where they are.
    pub limit: Niceness,
    /// If present, nothing else is fetched.
    pub only: Option<BTreeSet<PacketHash>>,
    /// Messages a second to read at most; 0 is no limit.
    pub rxrate: u64,
    /// Chunks a second to send at most; 0 is no limit.
    pub txrate: u64,
    /// The session ends when neither side said anything of substance for so long.
    pub onlinedeadline: Duration,
    /// The session ends after so long, come what may.
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

/// The pause that a rate of so many messages a second asks for; `None` for no limit.
pub(super) fn pause(rate: u64) -> Option<Duration> {
    (rate > 0).then(|| Duration::from_secs(1) / u32::try_from(rate).unwrap_or(u32::MAX))
}
