//! Why a stream is not applied, and what a person can do about it.

use super::name::{Dataset, word};
use super::state::PLACEHOLDER;
use std::time::Duration;

/// What a stream waits for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wait {
    /// The base is not in the target: an earlier packet is missing.
    #[error("waits for the snapshot with guid {0}")]
    Base(u64),
    /// The target does not exist: the full stream is missing.
    #[error("waits for the dataset's full stream (guid {0})")]
    Full(u64),
    /// An increment whose base is older than the backup's last change. A longer increment may have
    /// replaced it.
    #[error(
        "the backup was changed after @{snapshot}, the base of this stream: zfs rollback -r {}, or \
         remove the packet if the backup is newer than this stream",
        word(&format!("{dataset}@{snapshot}"))
    )]
    Fork {
        /// The backup.
        dataset: Dataset,
        /// The base, without the dataset's name.
        snapshot: String,
    },
    /// The base is in another dataset, for example because the sender renamed the dataset.
    #[error(
        "its base (guid {guid}) is in or below {there}: if the sender renamed that dataset to {here}, \
         rename it here, too: {way}"
    )]
    Elsewhere {
        /// Guid of the base.
        guid: u64,
        /// The dataset that has the base.
        there: Dataset,
        /// The dataset that the stream is for.
        here: Dataset,
        /// The commands that rename one to the other.
        way: String,
    },
    /// Another process is receiving into the dataset.
    #[error("another process is receiving into the dataset")]
    Busy,
    /// The dataset has no snapshots: another receive is in progress, or a person made the dataset.
    #[error(
        "{0} exists and has no snapshots: unless another receive is in progress, remove it: \
         zfs destroy {name}; or if it has children: zfs set {PLACEHOLDER}=on {name}",
        name = word(_0.as_str())
    )]
    Empty(Dataset),
    /// The partial state of an interrupted `zfs receive -s` blocks the stream.
    #[error(
        "partial state of an interrupted receive blocks it: discard that state with zfs receive -A"
    )]
    PartialState,
    /// The pool is not imported.
    #[error("the pool {0} is not imported")]
    Pool(String),
    /// `zfs` failed in a way that a person can mend, such as a full pool or a key that is not
    /// loaded.
    #[error("zfs says: {0}")]
    Zfs(String),
    /// The stream could not be read or decrypted.
    #[error("{0}")]
    Input(String),
    /// The stream passed packmule's check, but `zfs receive` reports damage.
    #[error(
        "the stream was intact when packmule checked it, but zfs receive reports damage (check memory \
         and disk): {0}"
    )]
    Machine(String),
}

impl Wait {
    /// True if only a person can end this wait.
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::Zfs(_)
                | Self::Input(_)
                | Self::Machine(_)
                | Self::PartialState
                | Self::Elsewhere { .. }
        )
    }

    /// How long the stream may wait if the configuration does not say. No packet can end these
    /// waits, so without a limit they would stay pending for ever.
    pub fn patience(&self) -> Option<Duration> {
        matches!(self, Self::Empty(_) | Self::Fork { .. }).then_some(Duration::from_secs(86400))
    }
}

/// Why a stream can never be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stream is damaged or forged.
    #[error("{0}")]
    Fault(#[from] super::stream::Fault),
    /// The sender may not use this name.
    #[error("{0}")]
    Name(String),
    /// The policy does not allow this kind of stream.
    #[error("{0} streams are not allowed here")]
    Kind(&'static str),
    /// A full stream for a dataset that has another history. If the sender still has the newest
    /// snapshot of the backup, an increment from that snapshot mends this.
    #[error(
        "the dataset has another history: if the sender still has @{name} (guid {guid}), run the \
         command that packmule zfs status prints there, and remove this packet; otherwise move the \
         dataset out of --into with zfs rename"
    )]
    OtherLineage {
        /// The newest snapshot here.
        name: String,
        /// Its guid.
        guid: u64,
    },
    /// A full stream that is not newer than the newest snapshot of the backup.
    #[error(
        "a full stream that is not newer than @{name} of the backup, by the sender's clock. If the \
         sender made the dataset anew (its clock may have been wrong), move {} out of --into with \
         zfs rename; its children move along, and are renamed back when this stream is applied. \
         Remove the packet only if newer streams of the dataset are applied here",
        word(dataset.as_str())
    )]
    Older {
        /// The backup.
        dataset: Dataset,
        /// The newest snapshot of the backup.
        name: String,
    },
    /// The backup was written to.
    #[error(
        "the backup was written to ({bytes} bytes): roll it back to its newest snapshot: zfs rollback {}",
        word(newest)
    )]
    Modified {
        /// Number of bytes that were written.
        bytes: u64,
        /// Full name of the newest snapshot.
        newest: String,
    },
    /// `zfs` reports that the backup was written to.
    #[error(
        "zfs says: {said}: roll the backup back to its newest snapshot: zfs rollback {}",
        word(newest)
    )]
    Changed {
        /// The error output of `zfs`.
        said: String,
        /// Full name of the newest snapshot.
        newest: String,
    },
    /// A local snapshot blocks a raw increment, which cannot be received over it.
    #[error(
        "a local snapshot blocks a raw stream, which needs its base as the newest snapshot: zfs destroy {}",
        word(.0)
    )]
    LocalSnapshot(String),
    /// A resuming stream, but no partial state to resume.
    #[error("there is no interrupted receive that this stream could resume")]
    NothingToResume,
    /// It waited longer than its patience.
    #[error("rejected after waiting too long: {0}")]
    GivenUp(Wait),
    /// `zfs receive` failed for good.
    #[error("zfs says: {0}")]
    Zfs(String),
    /// The stream was applied, but the dataset's `readonly` differs from the policy.
    #[error("applied, but readonly of the dataset is not {0}")]
    NotReadonly(String),
}
