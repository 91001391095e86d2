//! `builtin:zfs-receipt`: a destination of ours says what it holds, and the confirmed marks of our
//! datasets move forward.
//!
//! The packet's author is the destination; the sender can add nothing. See `zfs::send::confirm`
//! for what a hostile one can do: choose among what was sent to it.

use super::{Call, Verdict};
use crate::zfs::command::Zfs;
use crate::zfs::receipt::{self, Receipt, ReceiptError};
use crate::zfs::send::{Confirmation, SendError, confirm};
use std::collections::VecDeque;

/// Notes what the destination holds.
pub(super) fn run(call: Call<'_>) -> Verdict {
    let failed = |reason: String| Verdict::Failed { reason, output: Vec::new() };
    let (words, arguments) = call.words.split_at(call.configured);
    if !arguments.is_empty() {
        return failed("a receipt takes no arguments".to_owned());
    }
    let settings = match Settings::parse(&words[1..], call.name) {
        Ok(settings) => settings,
        Err(reason) => return failed(reason),
    };
    match receipt::from_lines(call.input) {
        Ok(receipts) => settings.confirm(&receipts),
        Err(ReceiptError::Read(error)) => Verdict::Defer { reason: error.to_string() },
        Err(error) => failed(error.to_string()),
    }
}

/// What the configuration says.
struct Settings {
    destination: String,
    zfs: Zfs,
}

impl Settings {
    fn parse(words: &[Vec<u8>], sender: String) -> Result<Self, String> {
        let text = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
        let mut words: VecDeque<_> = words.iter().map(text).collect();
        let (mut destination, mut prefix, mut program) = (sender, Vec::new(), None);
        while let Some(word) = words.pop_front() {
            let value = words.pop_front().ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--destination" => destination = value,
                "--prefix" => prefix = value.split_whitespace().map(str::to_owned).collect(),
                "--zfs" => program = Some(value),
                _ => return Err(format!("unknown option {word:?}")),
            }
        }
        let zfs = Zfs::new(&prefix, program.as_deref()).map_err(|error| error.to_string())?;
        Ok(Self { destination, zfs })
    }

    /// A receipt is done when each of its lines is: what is not ours is told, not the others.
    fn confirm(&self, receipts: &[Receipt]) -> Verdict {
        let mut output = String::new();
        let mut faults = Vec::new();
        for receipt in receipts {
            let Receipt { dataset, snapshot, guid } = receipt;
            match confirm(&self.zfs, &self.destination, receipt) {
                Ok(Confirmation::Moved) => {
                    output +=
                        &format!("{} holds {dataset}@{snapshot}, guid {guid}\n", self.destination);
                }
                // The newest counts, and what is no longer here can be no base.
                Ok(Confirmation::Known | Confirmation::Gone) => {}
                Err(SendError::Zfs(error)) => {
                    return Verdict::Defer { reason: error.to_string() };
                }
                Err(error) => faults.push(error.to_string()),
            }
        }
        let output = output.into_bytes();
        if faults.is_empty() {
            return Verdict::Done { output, reply: None };
        }
        Verdict::Failed { reason: faults.join("; "), output }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str], arguments: &[&str], input: &'static [u8]) -> Verdict {
        let all = words.iter().chain(arguments).map(|word| word.as_bytes().to_vec()).collect();
        run(Call {
            words: all,
            configured: words.len(),
            own: "SELF".into(),
            sender: "SENDER".into(),
            name: "vault".into(),
            nice: None,
            input: Box::new(input),
        })
    }

    #[test]
    fn what_is_no_receipt_is_refused_before_zfs_is_run() {
        let words = ["builtin:zfs-receipt", "--zfs", "/nowhere/zfs"];
        let refused = |words: &[&str], arguments: &[&str], input, want: &str| match call(
            words, arguments, input,
        ) {
            Verdict::Failed { reason, .. } => assert!(reason.contains(want), "{reason}"),
            other => panic!("{other:?}"),
        };
        refused(&words, &["more"], b"", "takes no arguments");
        refused(&words, &[], b"{}", "line 1 of the receipt");
        refused(&[&words[..], &["--set"]].concat(), &[], b"", "--set needs a value");
        refused(&[&words[..], &["--set", "x"]].concat(), &[], b"", "unknown option \"--set\"");
        assert!(matches!(call(&words, &[], b""), Verdict::Done { .. }), "nothing is said");
        let later = call(&words, &[], b"{\"dataset\":\"a\",\"snapshot\":\"s\",\"guid\":1}");
        assert!(matches!(later, Verdict::Defer { .. }), "zfs may be here next time: {later:?}");
    }
}
