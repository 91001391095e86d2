//! Why a packet cannot be queued.

use super::path;
use super::source::SourceError;
use crate::blocks::SealError;
use crate::config::BadKey;
use crate::disk::{DiskError, PathError};
use crate::ledger::LedgerError;
use crate::random::NoRandomness;
use crate::spool::SpaceError;
use packmule_protocol::id::NodeId;
use packmule_protocol::packet::TooLongPath;
use packmule_protocol::packet::seal::WeakKey;

/// Why a packet could not be queued. Nothing is queued then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The configuration has no `self` section.
    #[error("Config lacks private keys")]
    NoPrivateKeys,
    /// The area has no `prv`, so this node may not post to it.
    #[error("area has no encryption keys")]
    NoAreaKeys,
    /// A relay is unknown.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A path is too long for a packet.
    #[error(transparent)]
    Path(#[from] TooLongPath),
    /// The path at the recipient is absolute.
    #[error("Relative {0} path required")]
    Absolute(&'static str),
    /// The recipient must reject the path.
    #[error(
        "destination {}: {error}: the receiver refuses it. Name a path below the directory of its \
         incoming files",
        path::shown(.path)
    )]
    Destination {
        /// The path in the packet.
        path: Vec<u8>,
        /// The error in it.
        error: PathError,
    },
    /// A request without a file name.
    #[error(
        "name the file to request; . requests all files that may be requested, and needs a DST"
    )]
    NoSource,
    /// A stream, which has no name that could be used.
    #[error("Must provide destination filename")]
    NoName,
    /// The source cannot be sent.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The packet would be larger than allowed.
    #[error("Too big than allowed: more than {0} bytes")]
    TooBig(u64),
    /// The recipient's key is weak: it protects nothing.
    #[error(transparent)]
    WeakKey(#[from] WeakKey),
    /// The operating system's random number generator failed.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The content could not be read, or the packet could not be written.
    #[error(transparent)]
    Seal(SealError),
    /// The spool has no space, or does not exist.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A disk operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The packet can not be followed, so it was not queued.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<SealError> for QueueError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::TooBig(limit) => Self::TooBig(limit),
            other => Self::Seal(other),
        }
    }
}

impl QueueError {
    /// True if the failure belongs in the log, since the packet was begun. A mistake in the command
    /// is only reported to its user.
    pub(super) fn is_event(&self) -> bool {
        !matches!(
            self,
            Self::NoPrivateKeys
                | Self::Route(_)
                | Self::Path(_)
                | Self::Absolute(_)
                | Self::Destination { .. }
                | Self::NoName
                | Self::NoSource
                | Self::Space(SpaceError::Stat { .. })
        )
    }
}

/// Why a packet cannot be routed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// A relay is not in the configuration.
    #[error("relay {0} is not a known node")]
    UnknownHop(NodeId),
    /// A node on the route has an invalid key.
    #[error("{0}: get that key again before you send anything there")]
    Key(#[from] BadKey),
    /// No relay is given.
    #[error("no relay is named: use -via, or via in the configuration")]
    Empty,
}
