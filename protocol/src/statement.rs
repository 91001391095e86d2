//! Statements: what one node tells another about the packets and data that it has of it.
//!
//! The payload of an acknowledgement whose path is [`PATH`]: lines of JSON, each ended by a line feed, the head first.
//! doc/statement.md has the format. Lines and members that are not known are skipped, so that later versions can say
//! more; a known line with a wrong value makes the whole statement unusable.

mod line;

use crate::id::PacketHash;
use line::Line;
pub use line::Name;
use std::ops::RangeInclusive;

/// The path of a packet that holds a statement.
pub const PATH: [u8; 32] = *b"packmule statement 1\0\0\0\0\0\0\0\0\0\0\0\0";
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

/// Which ledger speaks: random, made when a node's ledger is made.
pub type LedgerId = Name<0>;
/// Which medium is meant: random, made when it is registered.
pub type MediumId = Name<1>;

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

/// The payload is not a statement that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// More than [`PAYLOAD_MAX`].
    #[error("statement has {0} bytes, at most {PAYLOAD_MAX} are read")]
    TooLong(usize),
    /// A later version: believe nothing of it.
    #[error("statement of version {0}: this program reads version {VERSION}")]
    Newer(u64),
    /// A line that is too long, not JSON, or has a wrong value.
    #[error("line {number} of the statement: {reason}")]
    Line {
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// Too many of a kind.
    #[error("statement has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read.
        most: usize,
    },
}

impl Statement {
    /// Reads a payload.
    ///
    /// # Errors
    /// When it exceeds a limit, is of a later version, or a known line has a wrong value.
    pub fn from_bytes(payload: &[u8]) -> Result<Self, StatementError> {
        if payload.len() > PAYLOAD_MAX {
            return Err(StatementError::TooLong(payload.len()));
        }
        let mut lines = payload.split_inclusive(|byte| *byte == b'\n').enumerate();
        let mut statement = match lines.next() {
            Some((_, first)) => line::head(first)?,
            None => {
                return Err(StatementError::Line { number: 1, reason: "is missing".to_owned() });
            }
        };
        for (index, text) in lines {
            if let Some(line) = line::parse(text, index + 1)? {
                statement.add(line)?;
            }
        }
        Ok(statement)
    }

    /// Writes the payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut payload = line::write_head(&self.head, self.lists.whole);
        let lists = &self.lists;
        let lines = self.receipts.iter().cloned().map(Line::Receipt);
        let lines = lines.chain(lists.waiting.iter().cloned().map(Line::Waiting));
        let lines = lines.chain(lists.facts.iter().cloned().map(Line::Fact));
        let lines = lines.chain(lists.media.iter().cloned().map(Line::Medium));
        let lines = lines.chain(lists.sum.map(Line::Sum));
        let lines = lines.chain(lists.under_way.iter().copied().map(Line::UnderWay));
        for line in lines {
            line::write(&line, &mut payload);
        }
        payload
    }

    fn add(&mut self, line: Line) -> Result<(), StatementError> {
        let lists = &mut self.lists;
        match line {
            Line::Receipt(receipt) => push(&mut self.receipts, receipt, "receipts", RECEIPTS_MAX),
            Line::Waiting(waiting) => {
                push(&mut lists.waiting, waiting, "waiting packets", LIST_MAX)
            }
            Line::Fact(fact) => push(&mut lists.facts, fact, "facts", LIST_MAX),
            Line::Medium(medium) => push(&mut lists.media, medium, "media", MEDIA_MAX),
            Line::UnderWay(packet) => {
                push(&mut lists.under_way, packet, "packets under way", LIST_MAX)
            }
            Line::Sum(sum) => {
                lists.sum = Some(sum);
                Ok(())
            }
        }
    }
}

fn push<T>(
    list: &mut Vec<T>,
    entry: T,
    what: &'static str,
    most: usize,
) -> Result<(), StatementError> {
    if list.len() == most {
        return Err(StatementError::TooMany { what, most });
    }
    list.push(entry);
    Ok(())
}

#[cfg(test)]
mod tests;
