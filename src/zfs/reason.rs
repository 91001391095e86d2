//! Why a stream is not applied, and what a person can do about it.

use super::name::{Dataset, word};
use super::pool::PLACEHOLDER;
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
        "the backup was changed since @{snapshot}, which this builds on: zfs rollback -r {}, or remove the \
         packet if what is there is newer",
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
        "its base (guid {guid}) is in {there}, or below: if {here} is the new name of that, rename it \
         here, too: {way}"
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
    #[error("another receive is under way")]
    Busy,
    /// The dataset has no snapshots: another receive is in progress, or a person made the dataset.
    #[error(
        "{0} exists and is empty: if no receive is under way, remove it: zfs destroy {name}, or where \
         datasets are below it: zfs set {PLACEHOLDER}=on {name}",
        name = word(_0.as_str())
    )]
    Empty(Dataset),
    /// The partial state of an interrupted `zfs receive -s` blocks the stream.
    #[error("partial state of an interrupted receive is in the way (zfs receive -A drops it)")]
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
    #[error("this machine damaged a stream that was whole: {0}")]
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
        "the dataset has another history: if the sender still has @{name} (guid {guid}), let it go on \
         from that with the command that packmule zfs status tells, and remove this packet; else \
         zfs rename what is there to a place outside of --into"
    )]
    OtherLineage {
        /// The newest snapshot here.
        name: String,
        /// Its guid.
        guid: u64,
    },
    /// A full stream that is not newer than the newest snapshot of the backup.
    #[error(
        "a full stream not newer than @{name}, which is there, by the clock of the sender. If the sender \
         made the dataset anew (its clock may have been wrong), zfs rename {} to a place outside of \
         --into; what is below it moves along, and is renamed back when this is applied. Only if newer \
         streams of the dataset are applied here, remove the packet",
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
        "a local snapshot is in the way of a raw stream, which fits only onto its base: zfs destroy {}",
        word(.0)
    )]
    LocalSnapshot(String),
    /// A resuming stream, but no partial state to resume.
    #[error("nothing is there that this stream would resume")]
    NothingToResume,
    /// It waited longer than its patience.
    #[error("given up after waiting too long: {0}")]
    GivenUp(Wait),
    /// `zfs receive` failed for good.
    #[error("zfs says: {0}")]
    Zfs(String),
    /// The stream was applied, but the dataset's `readonly` differs from the policy.
    #[error("applied, but readonly is not {0}")]
    NotReadonly(String),
}
