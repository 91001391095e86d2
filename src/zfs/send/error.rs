//! Why something was not sent.

use super::super::command::ZfsError;
use super::super::name::{Dataset, NameError, word};
use super::super::stream::Fault;
use super::chain::Departure;
use super::queue::QueueError;
use std::io;

/// Why something was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// `zfs` can not be run, or said no.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// A name that is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What `zfs send` wrote is not a whole stream.
    #[error("zfs send wrote a stream that is not whole: {0}")]
    Stream(#[from] Fault),
    /// What `zfs send` wrote is another stream than was asked for.
    #[error("zfs send wrote a stream for guid {got} from {from}, not for {wanted} from {base}")]
    OtherStream {
        /// The snapshot it makes.
        got: u64,
        /// The snapshot it needs.
        from: u64,
        /// The snapshot that was asked for.
        wanted: u64,
        /// The base that was asked for.
        base: u64,
    },
    /// The stream would not be taken by who took its base.
    #[error("{0} {1}; another set, into another dataset, begins a new chain")]
    Departs(Dataset, Departure),
    /// Reading from `zfs send`, or through the filter, failed.
    #[error("reading the stream: {0}")]
    Read(#[from] io::Error),
    /// The encryption filter failed.
    #[error("{0} failed: {1}")]
    Filter(String, String),
    /// Queueing failed.
    #[error("queueing for {0}: {1}")]
    Queue(String, #[source] QueueError),
    /// A name that ZFS does not allow, though this one did.
    #[error(
        "{0:?} can not be sent: other versions of ZFS do not allow that name; zfs rename it, or \
         leave it out (zfs set packmule:exclude=on)"
    )]
    Unnamed(String),
    /// It was asked for by name, and is excluded.
    #[error("{0} is left out: packmule:exclude or org.complete.simplesnap:exclude is on")]
    Excluded(String),
    /// Whether it is to be sent is not clear.
    #[error(
        "{0}: packmule:exclude is {1:?}, which is neither on nor off, so neither it nor what is \
         below it is sent: zfs set packmule:exclude=on (or off) {name}",
        name = word(_0)
    )]
    Unclear(String, String),
    /// A chain that simplesnap began, and several destinations that might hold it.
    #[error(
        "{0} has snapshots of simplesnap, which one destination holds: send to that one alone first"
    )]
    WhoseChain(String),
    /// There is no such base.
    #[error("{0} has no snapshot or bookmark with guid {guids} to send from", guids = listed(_1))]
    NoBase(String, Vec<u64>),
    /// The destination never said that it holds anything.
    #[error(
        "{0} has no snapshot or bookmark that the destination confirmed to send from; if nothing of \
         it is there, resend it -from nothing"
    )]
    Unconfirmed(String),
    /// A destination speaks of what it never got.
    #[error("nothing of {0} was sent to {1}")]
    NeverSent(String, String),
    /// There is nothing to send.
    #[error("{0} has no snapshot to send")]
    NoSnapshot(String),
    /// There is nothing of the set to send again.
    #[error(
        "{dataset} has no snapshot of the set {set} to send again; -set names another set. To go on \
         from a snapshot that the destination has from elsewhere, with its GUID: {send}"
    )]
    NoSnapshotOf {
        /// The dataset.
        dataset: String,
        /// The set.
        set: String,
        /// The command that makes one.
        send: String,
    },
    /// The snapshot that was named is not there.
    #[error("{0} has no snapshot @{1}")]
    NoSuchSnapshot(String, String),
    /// The marks of what was sent are gone.
    #[error(
        "{dataset} has snapshots of the set {set}, and no mark of what {destination} was sent: a \
         rollback, or a move to another pool, loses them. Nothing is sent before a person says from \
         what: {go_on}. To send a snapshot that exists, as to restore it: -snapshot NAME"
    )]
    Unmarked {
        /// The dataset.
        dataset: String,
        /// The set.
        set: String,
        /// The destination.
        destination: String,
        /// Both ways on.
        go_on: String,
    },
    /// The destination was sent the dataset in another set.
    #[error(
        "{dataset} was sent to {destination} in the set {other}, and never in {set}: was that the \
         name of this set before? Nothing is sent before a person says from what: {go_on}"
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
        /// Both ways on.
        go_on: String,
    },
    /// Raw streams are received into the dataset.
    #[error(
        "{dataset} is a backup that is received here: a new snapshot of it would be in the way of \
         the next raw stream. Send one that it has: {send}"
    )]
    Backup {
        /// The dataset.
        dataset: String,
        /// The command that sends the newest.
        send: String,
    },
    /// Packets wait in what is to be sent.
    #[error(
        "{0} holds the spool, so every run would send what the runs before it queued, again: give \
         the spool a dataset of its own (zfs create), and leave that one out (zfs set \
         packmule:exclude=on)"
    )]
    Spool(String),
    /// Another run of the same set is at work.
    #[error("another run of the set {0} is at work")]
    Busy(String),
    /// Something this `zfs` can not do.
    #[error("this zfs can not send {0}")]
    Unsupported(&'static str),
    /// The dataset does not exist.
    #[error("the dataset {0} does not exist")]
    NoDataset(String),
    /// A destination or set whose name does not fit into a mark.
    #[error("{0:?} can not be the name of a destination")]
    Destination(String),
}

fn listed(guids: &[u64]) -> String {
    guids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
