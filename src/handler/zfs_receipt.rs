//! `builtin:zfs-receipt`: a destination reports which snapshots it has, and the confirmed marks of
//! our datasets move forward.
//!
//! The packet's author is the destination, and can add no arguments. A hostile one can choose only
//! among the snapshots that were sent to it (`zfs::send::confirm`).

use super::builtin::Builtin;
use super::call::{Call, Verdict};
use crate::chain::Confirmation;
use crate::settings::{Setting, Settings as Options};
use crate::zfs::command::Zfs;
use crate::zfs::name::Dataset;
use crate::zfs::pool::{Missing, View};
use crate::zfs::receipt::{self, Receipt, ReceiptError};
use crate::zfs::send::{SendError, confirm};

/// The options in a configuration.
const SETTINGS: Options = Options(&[
    Setting::takes(
        "destination",
        "NAME",
        "the node whose marks are moved (default: the sender's name here)",
    ),
    Setting::PREFIX,
    Setting::ZFS,
]);

/// The row in the table of builtins.
pub(super) const BUILTIN: Builtin =
    Builtin { name: "zfs-receipt", settings: SETTINGS, check, run, ordered: None };

/// Marks the snapshots in the receipt as confirmed.
fn run(call: Call<'_>) -> Verdict {
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

/// Checks the configured words.
fn check(words: &[String], sender: &str) -> Result<(), String> {
    Settings::parse(words, sender.to_owned()).map(drop)
}

/// The parsed options.
struct Settings {
    destination: String,
    zfs: Zfs,
}

impl Settings {
    fn parse(words: &[impl AsRef<[u8]>], sender: String) -> Result<Self, String> {
        let (mut destination, mut prefix, mut program) = (sender, Vec::new(), None);
        for (name, value) in SETTINGS.read(words).map_err(|error| error.to_string())? {
            let value = String::from_utf8_lossy(value).into_owned();
            match name {
                "destination" => destination = value,
                "prefix" => prefix = value.split_whitespace().map(str::to_owned).collect(),
                "zfs" => program = Some(value),
                other => unreachable!("--{other} is in no table"),
            }
        }
        let zfs = Zfs::new(&prefix, program.as_deref()).map_err(|error| error.to_string())?;
        Ok(Self { destination, zfs })
    }

    /// Processes each line of a receipt. The packet is done when all lines are. A line that changes
    /// nothing is not reported.
    fn confirm(&self, receipts: &[Receipt]) -> Verdict {
        let mut output = String::new();
        let (mut faults, mut waits) = (Vec::new(), Vec::new());
        for receipt in receipts {
            match self.confirm_one(receipt) {
                Ok(text) => output += &text,
                Err(Unconfirmed::Later(reason)) => waits.push(reason),
                Err(Unconfirmed::Failed(reason)) => faults.push(reason),
            }
        }
        let output = output.into_bytes();
        if !faults.is_empty() {
            return Verdict::Failed { reason: faults.join("; "), output };
        }
        if !waits.is_empty() {
            return Verdict::Defer { reason: waits.join("; ") };
        }
        Verdict::Done { output, reply: None }
    }

    /// Processes one line. Returns the text to report.
    fn confirm_one(&self, receipt: &Receipt) -> Result<String, Unconfirmed> {
        let Receipt { dataset, snapshot, guid } = receipt;
        let destination = &self.destination;
        match confirm(&self.zfs, destination, receipt) {
            Ok(Confirmation::Moved) => {
                Ok(format!("{destination} holds {dataset}@{snapshot}, guid {guid}\n"))
            }
            // A newer snapshot is confirmed already.
            Ok(Confirmation::Known) => Ok(String::new()),
            // A snapshot that no longer exists here cannot be a base.
            Ok(Confirmation::Gone) => Ok(format!(
                "{destination} holds {dataset}@{snapshot}, guid {guid}; this node has no such snapshot\n"
            )),
            Err(SendError::NoDataset(_)) => self.without_dataset(receipt),
            Err(error) => Err(error.into()),
        }
    }

    /// Handles a dataset that does not exist: it was renamed or destroyed, or its pool is not
    /// imported.
    fn without_dataset(&self, receipt: &Receipt) -> Result<String, Unconfirmed> {
        let Receipt { dataset, snapshot, guid } = receipt;
        let name = Dataset::parse(dataset).map_err(SendError::from)?;
        let missing = View::default().missing(&self.zfs, &name).map_err(SendError::from)?;
        if let Some(missing @ Missing::Pool(_)) = missing {
            return Err(Unconfirmed::Later(missing.to_string()));
        }
        let destination = &self.destination;
        Ok(format!(
            "{destination} holds {dataset}@{snapshot}, guid {guid}; this node has no {dataset}\n"
        ))
    }
}

/// Why the packet of a receipt stays.
enum Unconfirmed {
    Later(String),
    Failed(String),
}

impl From<SendError> for Unconfirmed {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Zfs(error) => Self::Later(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
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
        refused(&[&words[..], &["--prefix"]].concat(), &[], b"", "--prefix needs a value");
        refused(&[&words[..], &["--set"]].concat(), &[], b"", "unknown option \"--set\"");
        refused(&[&words[..], &["--set", "x"]].concat(), &[], b"", "unknown option \"--set\"");
        assert!(matches!(call(&words, &[], b""), Verdict::Done { .. }), "nothing is said");
        let later = call(&words, &[], b"{\"dataset\":\"a\",\"snapshot\":\"s\",\"guid\":1}");
        assert!(matches!(later, Verdict::Defer { .. }), "zfs may be here next time: {later:?}");
    }

    #[test]
    fn a_dataset_that_is_gone_ends_its_receipt_and_a_pool_that_is_away_does_not() {
        // A fake zfs with a pool tank, which contains the dataset b without snapshots.
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("zfs");
        let script = "case \"$*\" in *\" tank\") exit 0 ;;\n\
                      get*tank/b) printf 'tank/b\\ttype\\tfilesystem\\t-\\n'; exit 0 ;; esac\n\
                      echo does not exist >&2\nexit 1\n";
        std::fs::write(&program, script).unwrap();
        let program = program.to_str().unwrap();
        let words = ["builtin:zfs-receipt", "--prefix", "/bin/sh", "--zfs", program];
        let gone = call(&words, &[], b"{\"dataset\":\"tank/a\",\"snapshot\":\"s\",\"guid\":1}");
        let Verdict::Done { output, .. } = gone else { panic!("{gone:?}") };
        assert_eq!(output, b"vault holds tank/a@s, guid 1; this node has no tank/a\n");
        let made_anew =
            call(&words, &[], b"{\"dataset\":\"tank/b\",\"snapshot\":\"s\",\"guid\":1}");
        let Verdict::Done { output, .. } = made_anew else { panic!("{made_anew:?}") };
        assert_eq!(output, b"vault holds tank/b@s, guid 1; this node has no such snapshot\n");
        let away = call(&words, &[], b"{\"dataset\":\"disk/a\",\"snapshot\":\"s\",\"guid\":1}");
        let Verdict::Defer { reason } = away else { panic!("{away:?}") };
        assert_eq!(reason, "the pool disk is not imported");
    }
}
