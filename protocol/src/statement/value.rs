//! The contents of a statement, and their limits.

use super::name::{LedgerId, MediumId};
use crate::id::PacketHash;
use std::ops::RangeInclusive;

/// The version that this module encodes and decodes.
pub const VERSION: u32 = 1;
/// Limit for a payload in bytes.
pub const PAYLOAD_MAX: usize = 1 << 20;
/// Limit for a line in bytes, including its end.
pub const LINE_MAX: usize = 64 << 10;
/// Limit for the number of receipts.
pub const RECEIPTS_MAX: usize = 8192;
/// Limit for each list: waiting packets, facts, packets under way.
pub const LIST_MAX: usize = 4096;
/// Limit for the number of media.
pub const MEDIA_MAX: usize = 32;
/// Limit for a payload in bytes to a node that has never sent a statement: nncp-go accepts an
/// acknowledgement of up to this length without an error.
pub const UNKNOWN_PARTNER_MAX: usize = 3820;
/// Limit for a reason in bytes; longer ones are truncated.
pub const REASON_MAX: usize = 200;

/// A statement. Its author is the speaker, its recipient the reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// The speaker, and what it knows of the reader.
    pub head: Head,
    /// Results of packets, in the order of the journal.
    pub receipts: Vec<Receipt>,
    /// The lists. Complete if `whole`.
    pub lists: Lists,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The speaker's ledger.
    pub ledger: LedgerId,
    /// Number of the statement, greater than that of all earlier ones of this ledger.
    pub number: u64,
    /// Time of the statement by the speaker's clock, in seconds since 1970.
    pub made: i64,
    /// Extensions that the speaker can read, such as `pieces`.
    pub can: Vec<String>,
    /// The part of the reader's statements that the speaker has.
    pub have: Option<Have>,
    /// The part of the speaker's journal that the receipts cover.
    pub slice: Slice,
}

/// The part of a reader's statements that a speaker has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Have {
    /// The reader's ledger.
    pub ledger: LedgerId,
    /// The speaker has the reader's receipts up to this number.
    pub upto: u64,
    /// The number of the reader's newest statement.
    pub number: u64,
}

/// A part of a journal: receipts `after + 1` to `upto`. `first` is the oldest one still in the
/// journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slice {
    /// Number of the oldest receipt in the journal.
    pub first: u64,
    /// Number of the last receipt before the slice.
    pub after: u64,
    /// Number of the last receipt of the slice.
    pub upto: u64,
}

/// The result of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The packet's hash at the speaker.
    pub packet: PacketHash,
    /// Time by the speaker's clock, in seconds since 1970.
    pub at: i64,
    /// The result.
    pub outcome: Outcome,
}

/// The results of packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is durable.
    Done {
        /// The effect was durable before this packet.
        again: bool,
    },
    /// It arrived complete and was forwarded to its destination.
    Got,
    /// It failed and will not be tried again automatically.
    Failed {
        /// The reason.
        reason: String,
        /// Number of attempts.
        tries: u32,
        /// A person removed it.
        dropped: bool,
    },
}

/// The lists, each of which describes the state at the time of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lists {
    /// The lists are complete. Otherwise, a packet that is not listed may still exist.
    pub whole: bool,
    /// Packets of the reader that have arrived and are not done.
    pub waiting: Vec<Waiting>,
    /// The reader's data that the speaker has.
    pub facts: Vec<Fact>,
    /// Media that were read to their end.
    pub media: Vec<MediumRead>,
    /// The packets that the speaker has sent without learning their result: their totals.
    pub sum: Option<Sum>,
    /// The packets that the speaker has sent without learning their result, oldest first.
    pub under_way: Vec<UnderWay>,
}

/// A packet that has arrived and is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its hash.
    pub packet: PacketHash,
    /// The time since when it waits.
    pub since: i64,
    /// The reason.
    pub reason: String,
    /// What would end the wait.
    pub needs: Option<Need>,
}

/// What a packet needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The snapshot with this guid.
    Zfs(u64),
    /// The packet with this hash.
    Packet(PacketHash),
    /// These pieces of the packet.
    Pieces(Vec<RangeInclusive<u64>>),
    /// The whole packet again, because the copy was damaged.
    Bytes,
}

/// Data of the reader that the speaker has; only the newest of each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A snapshot of a dataset, with the sender's names.
    Zfs {
        /// The dataset.
        dataset: String,
        /// The snapshot's name, without the dataset.
        snapshot: String,
        /// The snapshot's guid.
        guid: u64,
        /// Its creation, by the sender's clock.
        creation: i64,
        /// The time of the receive.
        applied: i64,
    },
    /// A tree, and the result of comparing it with a manifest.
    Tree {
        /// Its name.
        tree: String,
        /// The result.
        checked: Checked,
    },
}

/// The result of comparing a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// SHA-256 of the manifest, in hexadecimal.
    pub manifest: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Number of objects in the manifest.
    pub objects: u64,
    /// Number of objects that differ.
    pub differences: u64,
    /// Time of the comparison, by the speaker's clock.
    pub at: i64,
}

/// The verdict on a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every object was read and is equal.
    Equal,
    /// An object differs.
    Different,
    /// Nothing differs, but not everything was compared.
    Unchecked,
}

/// A medium that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumRead {
    /// The medium.
    pub medium: MediumId,
    /// Its name.
    pub name: String,
    /// Number of the session on it.
    pub session: u64,
    /// Time of the reading, by the speaker's clock.
    pub at: i64,
}

/// The totals of packets that the speaker has sent without learning their result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Number of packets.
    pub packets: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The time when the oldest was queued.
    pub oldest: i64,
}

/// A packet that the speaker has sent without learning its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnderWay {
    /// Its hash at the reader.
    pub packet: PacketHash,
    /// Its size in bytes.
    pub size: u64,
    /// The time when it was queued.
    pub since: i64,
}
