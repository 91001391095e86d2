//! Why a packet cannot be queued.

use super::path;
use super::source::SourceError;
use crate::blocks::SealError;
use crate::config::BadKey;
use crate::disk::{DiskError, PathError};
use crate::random::NoRandomness;
use crate::spool::SpaceError;
use packmule_protocol::id::NodeId;
use packmule_protocol::packet::TooLongPath;
use packmule_protocol::packet::seal::WeakKey;

/// A packet that could not be queued. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The configuration has no `self` section.
    #[error("Config lacks private keys")]
    NoPrivateKeys,
    /// The area's section has no `prv`, so we may not post to it.
    #[error("area has no encryption keys")]
    NoAreaKeys,
    /// A relay is unknown.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A path is too long for a packet.
    #[error(transparent)]
    Path(#[from] TooLongPath),
    /// An absolute path on the other side.
    #[error("Relative {0} path required")]
    Absolute(&'static str),
    /// The receiver must refuse the path.
    #[error(
        "destination {}: {error}: the receiver refuses it. Name a path below the directory of its \
         incoming files",
        path::shown(.path)
    )]
    Destination {
        /// As it would be sent.
        path: Vec<u8>,
        /// What is wrong with it.
        error: PathError,
    },
    /// A request names nothing.
    #[error("name the file to ask for; . asks for all that may be asked for, and needs a DST")]
    NoSource,
    /// A stream has no name of its own.
    #[error("Must provide destination filename")]
    NoName,
    /// There is nothing to send.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The packet would be bigger than allowed.
    #[error("Too big than allowed: more than {0} bytes")]
    TooBig(u64),
    /// A recipient's key protects nothing.
    #[error(transparent)]
    WeakKey(#[from] WeakKey),
    /// No randomness for a key.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The content could not be read, or the packet not written.
    #[error(transparent)]
    Seal(SealError),
    /// The spool has no room for it, or does not exist.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The disk refused it.
    #[error(transparent)]
    Disk(#[from] DiskError),
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
    /// Whether it belongs in the log: the packet was begun. What is wrong with the command itself
    /// is told to whoever gave it.
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

/// A relay can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// It is not in the configuration.
    #[error("relay {0} is not a known node")]
    UnknownHop(NodeId),
    /// A node on the way has a key that is none.
    #[error("{0}: ask for it again before anything is sent there")]
    Key(#[from] BadKey),
    /// There is nobody to give the packet to.
    #[error("no relay is named: give one with -via, or a via in the configuration")]
    Empty,
}
