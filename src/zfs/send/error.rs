//! Why a dataset was not sent.

use super::super::command::ZfsError;
use super::super::name::{Dataset, NameError, word};
use super::super::stream::Fault;
use super::chain::Departure;
use super::queue::QueueError;
use std::io;

/// Why a dataset was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// `zfs` could not be run, or failed.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// An illegal name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The output of `zfs send` is not a valid stream.
    #[error("zfs send wrote an invalid stream: {0}")]
    Stream(#[from] Fault),
    /// The output of `zfs send` is a valid stream, but of another snapshot or from another base.
    #[error("zfs send wrote a stream of guid {got} from {from} instead of {wanted} from {base}")]
    OtherStream {
        /// Guid of the snapshot it makes.
        got: u64,
        /// Guid of the snapshot it needs.
        from: u64,
        /// Guid of the snapshot to send.
        wanted: u64,
        /// Guid of the requested base.
        base: u64,
    },
    /// A receiver that has the base would reject the stream.
    #[error("{0} {1}; to begin a new chain, use another set and another target dataset")]
    Departs(Dataset, Departure),
    /// The output of `zfs send` or of the filter could not be read.
    #[error("reading the stream: {0}")]
    Read(#[from] io::Error),
    /// The encryption filter failed.
    #[error("{0} failed: {1}")]
    Filter(String, String),
    /// The stream could not be queued.
    #[error("queueing for {0}: {1}")]
    Queue(String, #[source] QueueError),
    /// This `zfs` allows the name, but others do not.
    #[error(
        "{0:?} cannot be sent: other versions of ZFS do not allow that name; zfs rename it, or \
         exclude it (zfs set packmule:exclude=on)"
    )]
    Unnamed(String),
    /// The dataset was named on the command line, and its properties exclude it.
    #[error("{0} is excluded: packmule:exclude or org.complete.simplesnap:exclude is on")]
    Excluded(String),
    /// The dataset's property is neither `on` nor `off`.
    #[error(
        "{0}: packmule:exclude is {1:?}, neither on nor off, so the dataset and its children are \
         not sent: zfs set packmule:exclude=on (or off) {name}",
        name = word(_0)
    )]
    Unclear(String, String),
    /// simplesnap began the chain, and it is unknown which of several destinations has it.
    #[error(
        "{0} has snapshots of simplesnap, which only one destination has: send to that one alone first"
    )]
    WhoseChain(String),
    /// The requested base does not exist.
    #[error("{0} has no snapshot or bookmark with guid {guids} to send from", guids = listed(_1))]
    NoBase(String, Vec<u64>),
    /// The destination has confirmed nothing.
    #[error(
        "{0} has no snapshot or bookmark that the destination confirmed, so there is no base; if the \
         destination has nothing of it, use resend -from nothing"
    )]
    Unconfirmed(String),
    /// A destination confirms a dataset that was never sent there.
    #[error("nothing of {0} was sent to {1}")]
    NeverSent(String, String),
    /// The dataset has no snapshot.
    #[error("{0} has no snapshot to send")]
    NoSnapshot(String),
    /// The set has no snapshot to send again.
    #[error(
        "{dataset} has no snapshot of the set {set} to send again; -set names another set. If the \
         destination got a snapshot in another way, continue from its GUID: {send}"
    )]
    NoSnapshotOf {
        /// The dataset.
        dataset: String,
        /// The set.
        set: String,
        /// The command that sends one.
        send: String,
    },
    /// The named snapshot does not exist.
    #[error("{0} has no snapshot @{1}")]
    NoSuchSnapshot(String, String),
    /// The marks of what was sent are lost.
    #[error(
        "{dataset} has snapshots of the set {set}, but no mark of what {destination} was sent: a \
         rollback or a move to another pool loses the marks. packmule sends nothing until you name \
         the base: {choices}. To send an existing snapshot, for example to restore it: -snapshot NAME"
    )]
    Unmarked {
        /// The dataset.
        dataset: String,
        /// The set.
        set: String,
        /// The destination.
        destination: String,
        /// The commands for both ways to continue.
        choices: String,
    },
    /// The dataset was sent to the destination in another set.
    #[error(
        "{dataset} was sent to {destination} in the set {other}, and never in {set}: did this set \
         have another name before? packmule sends nothing until you name the base: {choices}"
    )]
    OtherSet {
        /// The dataset.
        dataset: String,
        /// The set.
        set: String,
        /// The destination.
        destination: String,
        /// The other set.
        other: String,
        /// The commands for both ways to continue.
        choices: String,
    },
    /// The dataset receives raw streams.
    #[error(
        "{dataset} is a backup that receives raw streams: a new snapshot of it would block the next \
         one. Send an existing snapshot: {send}"
    )]
    Backup {
        /// The dataset.
        dataset: String,
        /// The command that sends the newest.
        send: String,
    },
    /// The dataset contains the spool.
    #[error(
        "{0} holds the spool, so each run would send again what earlier runs queued: give the spool \
         a dataset of its own (zfs create), and exclude that dataset (zfs set packmule:exclude=on)"
    )]
    Spool(String),
    /// Another run of the same set is active.
    #[error("another run of the set {0} is active")]
    Busy(String),
    /// This `zfs` does not support it.
    #[error("this zfs cannot send {0}")]
    Unsupported(&'static str),
    /// The dataset does not exist.
    #[error("the dataset {0} does not exist")]
    NoDataset(String),
    /// The destination's name cannot be part of a mark.
    #[error("{0:?} cannot be the name of a destination")]
    Destination(String),
}

fn listed(guids: &[u64]) -> String {
    guids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
