//! A receipt: a receiver reports to a sender which snapshots it has. It describes a state and not
//! an event, so it may be lost, late or repeated.

use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// Largest receipt that is accepted: enough for some thousand datasets.
const LARGEST: u64 = 1 << 20;

/// The newest snapshot that a receiver has of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The dataset, by its name on the sending side.
    pub dataset: String,
    /// The snapshot, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    pub guid: u64,
}

/// Why a receipt is not valid.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The packet could not be read.
    #[error("reading the receipt: {0}")]
    Read(#[from] io::Error),
    /// The receipt is too large.
    #[error("the receipt has more than {LARGEST} bytes")]
    TooLarge,
    /// A line is not valid JSON, or lacks a field.
    #[error("line {line} of the receipt: {error}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// The error in the line.
        #[source]
        error: serde_json::Error,
    },
}

/// Encodes receipts as lines of JSON, one per dataset.
pub fn to_lines(receipts: &[Receipt]) -> Vec<u8> {
    let line = |receipt| serde_json::to_string(receipt).expect("strings and a number") + "\n";
    receipts.iter().map(line).collect::<String>().into_bytes()
}

/// Decodes the output of [`to_lines`].
///
/// # Errors
/// If the input cannot be read or is too large, and for the first line that is not valid.
pub fn from_lines(input: impl Read) -> Result<Vec<Receipt>, ReceiptError> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ReceiptError::TooLarge);
    }
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_slice(line).map_err(|error| ReceiptError::Line { line: at + 1, error })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let receipt = |guid| Receipt { dataset: "tank/a".into(), snapshot: "s".into(), guid };
        let receipts = [receipt(1), receipt(u64::MAX)];
        let lines = to_lines(&receipts);
        assert!(lines.starts_with(b"{\"dataset\":\"tank/a\",\"snapshot\":\"s\",\"guid\":1}\n"));
        assert_eq!(from_lines(&lines[..]).unwrap(), receipts);
    }

    #[test]
    fn what_is_no_receipt_is_refused() {
        let refused = |input: &[u8]| from_lines(input).unwrap_err().to_string();
        assert!(refused(b"\n{\"dataset\":1}\n").starts_with("line 2 of the receipt: "));
        assert!(refused(b"{\"dataset\":\"a\",\"snapshot\":\"b\",\"guid\":-1}").contains("line 1"));
        assert!(refused(&vec![b' '; 2 << 20]).contains("more than 1048576 bytes"));
        assert_eq!(from_lines(&b""[..]).unwrap(), []);
    }
}
