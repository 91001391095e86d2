//! Statements: a node reports to another one which of its packets and data it has.
//!
//! A statement is the payload of an acknowledgement with the path [`PATH`]: lines of JSON, each
//! ended by a line feed, the head first. doc/statement.md has the format. Unknown lines and members
//! are skipped, so that later versions can add some. A known line with a wrong value makes the
//! whole statement invalid.

mod error;
mod line;
mod name;
mod value;

use line::Line;

pub use error::StatementError;
pub use name::{LedgerId, MediumId, Name, NotAName};
pub use value::{
    Checked, Fact, Have, Head, LINE_MAX, LIST_MAX, Lists, MEDIA_MAX, MediumRead, Need, Outcome,
    PAYLOAD_MAX, REASON_MAX, RECEIPTS_MAX, Receipt, Slice, Statement, Sum, UNKNOWN_PARTNER_MAX,
    UnderWay, VERSION, Verdict, Waiting,
};

/// The path of a packet that contains a statement.
pub const PATH: [u8; 32] = *b"packmule statement 1\0\0\0\0\0\0\0\0\0\0\0\0";

impl Statement {
    /// Decodes a payload.
    ///
    /// # Errors
    /// If it exceeds a limit, has a later version, or a known line has a wrong value.
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

    /// Encodes the payload.
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

impl Receipt {
    /// The receipt as it stands in a statement: one line, its end included.
    pub fn to_line(&self) -> Vec<u8> {
        let mut out = Vec::new();
        line::write(&Line::Receipt(self.clone()), &mut out);
        out
    }

    /// Reads such a line; `None` if it is no receipt of a known kind.
    pub fn from_line(text: &[u8]) -> Option<Self> {
        match line::parse(text, 1) {
            Ok(Some(Line::Receipt(receipt))) => Some(receipt),
            _ => None,
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
