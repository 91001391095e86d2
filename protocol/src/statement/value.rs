//! What a statement says, and how much of it.

use super::name::{LedgerId, MediumId};
use crate::id::PacketHash;
use std::ops::RangeInclusive;

/// The version that this module reads and writes.
pub const VERSION: u32 = 1;
/// Bytes of a payload.
pub const PAYLOAD_MAX: usize = 1 << 20;
/// Bytes of a line, with its end.
pub const LINE_MAX: usize = 64 << 10;
/// Receipts in a statement.
pub const RECEIPTS_MAX: usize = 8192;
/// Entries in each of the lists of waiting packets, facts and packets under way.
pub const LIST_MAX: usize = 4096;
/// Media in a statement.
pub const MEDIA_MAX: usize = 32;
/// Bytes of a payload to a node that never sent a statement: nncp-go consumes an acknowledgement with so many
/// without an error, and no more.
pub const UNKNOWN_PARTNER_MAX: usize = 3820;
/// Bytes of a reason; longer ones are cut.
pub const REASON_MAX: usize = 200;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Who speaks, and what the speaker knows of the reader.
    pub head: Head,
    /// What became of packets, in the order of the journal.
    pub receipts: Vec<Receipt>,
    /// What else stands in it. Complete if `whole`.
    pub lists: Lists,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The speaker's ledger.
    pub ledger: LedgerId,
    /// Greater than that of every earlier statement of this ledger.
    pub number: u64,
    /// The speaker's clock, in seconds since 1970.
    pub made: i64,
    /// What the speaker can read beyond the first version, such as `pieces`.
    pub can: Vec<String>,
    /// What the speaker has of the reader's statements.
    pub have: Option<Have>,
    /// Which part of the speaker's journal the receipts are.
    pub slice: Slice,
}

/// What the speaker has of the reader's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Have {
    /// The reader's ledger.
    pub ledger: LedgerId,
    /// The reader's receipts up to this number.
    pub upto: u64,
    /// The number of the reader's newest statement.
    pub number: u64,
}

/// A part of a journal: receipts `after + 1` to `upto`. The oldest that is still in the journal is `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slice {
    /// Oldest receipt in the journal.
    pub first: u64,
    /// The last receipt before the slice.
    pub after: u64,
    /// The last receipt of the slice.
    pub upto: u64,
}

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The packet's name at the speaker.
    pub packet: PacketHash,
    /// When, by the speaker's clock.
    pub at: i64,
    /// What.
    pub outcome: Outcome,
}

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is durable. `again`: it had been before.
    Done {
        /// Whether the effect had been durable before.
        again: bool,
    },
    /// It was whole and has left for where it belongs.
    Got,
    /// It will not be tried again by itself.
    Failed {
        /// Why.
        reason: String,
        /// How often it was tried.
        tries: u32,
        /// Whether a person removed it.
        dropped: bool,
    },
}

/// The lists: each describes the state when the statement was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lists {
    /// Whether the lists are complete. If not, a packet that is missing in them may still be there.
    pub whole: bool,
    /// Packets of the reader that are here and not done.
    pub waiting: Vec<Waiting>,
    /// What the speaker holds of the reader's data.
    pub facts: Vec<Fact>,
    /// Media that were read to their end.
    pub media: Vec<MediumRead>,
    /// What the speaker sent and knows nothing of: the sum.
    pub sum: Option<Sum>,
    /// What the speaker sent and knows nothing of: the packets, oldest first.
    pub under_way: Vec<UnderWay>,
}

/// A packet that is here and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub packet: PacketHash,
    /// Since when.
    pub since: i64,
    /// Why.
    pub reason: String,
    /// What would help.
    pub needs: Option<Need>,
}

/// What a packet waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The snapshot with this guid.
    Zfs(u64),
    /// The packet of this name.
    Packet(PacketHash),
    /// These pieces of it.
    Pieces(Vec<RangeInclusive<u64>>),
    /// All of its bytes: the copy was damaged.
    Bytes,
}

/// What the speaker holds of the reader's data, the newest of each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A snapshot of a dataset, by its sender's names.
    Zfs {
        /// The dataset.
        dataset: String,
        /// The snapshot's name, without the dataset.
        snapshot: String,
        /// The snapshot's guid.
        guid: u64,
        /// When it was made, by the sender's clock.
        creation: i64,
        /// When it was received.
        applied: i64,
    },
    /// A tree, and what comparing it with a manifest gave.
    Tree {
        /// Its name.
        tree: String,
        /// What was compared.
        checked: Checked,
    },
}

/// The verdict about a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// SHA-256 of the manifest, in hexadecimal.
    pub manifest: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Objects of the manifest.
    pub objects: u64,
    /// Those that differ.
    pub differences: u64,
    /// When, by the speaker's clock.
    pub at: i64,
}

/// What comparing a tree with its manifest came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every object was read and is equal.
    Equal,
    /// Something differs.
    Different,
    /// Nothing differs in what was compared, but not everything was.
    Unchecked,
}

/// A medium that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumRead {
    /// Which.
    pub medium: MediumId,
    /// Its name.
    pub name: String,
    /// The number of the session that was found on it.
    pub session: u64,
    /// When, by the speaker's clock.
    pub at: i64,
}

/// The packets that the speaker sent and knows nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was queued.
    pub oldest: i64,
}

/// A packet that the speaker sent and knows nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnderWay {
    /// Its name at the reader.
    pub packet: PacketHash,
    /// Its bytes.
    pub size: u64,
    /// When it was queued.
    pub since: i64,
}
