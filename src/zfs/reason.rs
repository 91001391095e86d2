//! Why a stream is not applied, and what a person can do about it.

use super::name::{Dataset, word};
use super::pool::PLACEHOLDER;
use std::time::Duration;

/// What a stream waits for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wait {
    /// An earlier packet: the base is not there.
    #[error("waits for the snapshot with guid {0}")]
    Base(u64),
    /// The full stream: the dataset is not there.
    #[error("waits for the dataset's full stream (guid {0})")]
    Full(u64),
    /// A step that a bigger one may have jumped over.
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
    /// The base lies in another dataset, as after a rename at the sender.
    #[error(
        "its base (guid {guid}) is in {there}, or below: if {here} is the new name of that, rename it \
         here, too: {way}"
    )]
    Elsewhere {
        /// The base.
        guid: u64,
        /// Where it is.
        there: Dataset,
        /// Where the stream goes.
        here: Dataset,
        /// The commands that make the one the other.
        way: String,
    },
    /// Somebody else is at it.
    #[error("another receive is under way")]
    Busy,
    /// The dataset has no snapshots, as while it is being received, or when a person made it.
    #[error(
        "{0} exists and is empty: if no receive is under way, remove it: zfs destroy {name}, or where \
         datasets are below it: zfs set {PLACEHOLDER}=on {name}",
        name = word(_0.as_str())
    )]
    Empty(Dataset),
    /// A receive was interrupted and left partial state.
    #[error("partial state of an interrupted receive is in the way (zfs receive -A drops it)")]
    PartialState,
    /// The pool is not there.
    #[error("the pool {0} is not imported")]
    Pool(String),
    /// A person or another event must make room or load a key.
    #[error("zfs says: {0}")]
    Zfs(String),
    /// The stream could not be read or decrypted.
    #[error("{0}")]
    Input(String),
    /// The stream was whole when we checked it, and `zfs` says it is not.
    #[error("this machine damaged a stream that was whole: {0}")]
    Machine(String),
}

impl Wait {
    /// Whether nothing will change before a person acts.
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

    /// How long it may last where the configuration does not say. No packet ends these, and they
    /// may look for ever as if something was about to.
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
    /// The name is not one that this sender may use.
    #[error("{0}")]
    Name(String),
    /// A kind of stream that is not allowed here.
    #[error("{0} streams are not allowed here")]
    Kind(&'static str),
    /// A full stream for a dataset that has another history. Where the sender still has what is the
    /// newest here, one increment from that makes it go on.
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
    /// A full stream of something that is not newer than what is there.
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
        /// The newest snapshot there.
        name: String,
    },
    /// Somebody wrote into the backup.
    #[error(
        "the backup was written to ({bytes} bytes): roll it back to its newest snapshot: zfs rollback {}",
        word(newest)
    )]
    Modified {
        /// How much.
        bytes: u64,
        /// The newest snapshot, with the dataset's name.
        newest: String,
    },
    /// `zfs` says that somebody wrote into the backup.
    #[error(
        "zfs says: {said}: roll the backup back to its newest snapshot: zfs rollback {}",
        word(newest)
    )]
    Changed {
        /// The words of `zfs`.
        said: String,
        /// The newest snapshot, with the dataset's name.
        newest: String,
    },
    /// A raw increment can not go over a local snapshot.
    #[error(
        "a local snapshot is in the way of a raw stream, which fits only onto its base: zfs destroy {}",
        word(.0)
    )]
    LocalSnapshot(String),
    /// A resuming stream, and no interrupted receive.
    #[error("nothing is there that this stream would resume")]
    NothingToResume,
    /// It waited longer than the configuration allows.
    #[error("given up after waiting too long: {0}")]
    GivenUp(Wait),
    /// `zfs` will not have it.
    #[error("zfs says: {0}")]
    Zfs(String),
    /// Applied, but `readonly` is not what was asked for.
    #[error("applied, but readonly is not {0}")]
    NotReadonly(String),
}
