//! Parses the policy of a receiver for one sender from a handler's arguments.

use super::super::command::{Zfs, ZfsError};
use super::super::name::{Below, Dataset, NameError};
use super::policy::{Allowed, Policy};
use crate::settings::{Setting, SettingError, Settings};
use regex_lite::Regex;
use std::time::Duration;

/// The arguments are not a valid policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// An unknown option, or an option without its value.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// `--into` is missing.
    #[error("--into DATASET is required")]
    Into,
    /// An illegal value of an option.
    #[error("{option}: {value:?} is not {wanted}")]
    Bad {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What the option accepts.
        wanted: &'static str,
    },
    /// An illegal dataset name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// `zfs` is not installed.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
}

/// The options of [`Policy::parse`].
pub const SETTINGS: Settings = Settings(&[
    Setting::takes("into", "DATASET", "receive everything below this dataset (required)")
        .more("The dataset must exist."),
    Setting::takes(
        "host",
        "NAME",
        "require and remove NAME/ at the start of the dataset that the sender names",
    )
    .more("`packmule zfs send -host` puts this prefix there."),
    Setting::takes(
        "allow",
        "KIND,...",
        "also receive raw, volume, package, redacted, dedup, resuming streams",
    )
    .more(
        "`raw` is encrypted as on disk; `package` is made by `zfs send -I`, `-R` or `-p`, and cut \
             into its plain streams; only an old `zfs` receives `dedup`; `resuming` is made by \
             `zfs send -t`. A clone is never received.",
    ),
    Setting::takes(
        "o",
        "PROPERTY=VALUE",
        "set this property on received datasets (default readonly=on)",
    )
    .more("As for `zfs receive`. May be given several times."),
    Setting::takes("x", "PROPERTY", "do not take this property from the stream")
        .more("As for `zfs receive`. May be given several times."),
    Setting::takes(
        "decrypt",
        "COMMAND",
        "decrypt with this filter (words, no shell): \"gpg -q -d\"",
    )
    .more("The filter runs before decompression."),
    Setting::switch(
        "drop-partial",
        "discard the state of an interrupted zfs receive -s that blocks a stream",
    ),
    Setting::takes("snapshots", "REGEX", "accept only snapshot names that match")
        .more("The whole name must match."),
    Setting::takes(
        "patience",
        "DURATION",
        "reject a stream that has waited longer (36h, 14d); default: one day, but only if no \
         packet can unblock it",
    ),
    Setting::takes(
        "receipt",
        "HANDLE",
        "report what was applied to this handle of the sender, a builtin:zfs-receipt",
    ),
    Setting::PREFIX,
    Setting::ZFS,
]);

impl Policy {
    /// Parses the arguments of a handler for this sender.
    ///
    /// # Errors
    /// For the first argument that is wrong.
    pub fn parse(words: &[String], sender: &str) -> Result<Self, PolicyError> {
        let mut read = Words::default();
        for (name, value) in SETTINGS.read(words)? {
            read.option(name, &String::from_utf8_lossy(value))?;
        }
        Ok(Self {
            into: read.into.ok_or(PolicyError::Into)?,
            sender: sender.to_owned(),
            host: read.host,
            allowed: read.allowed,
            set: if read.set.iter().any(|(property, _)| property == "readonly") {
                read.set
            } else {
                [vec![("readonly".to_owned(), "on".to_owned())], read.set].concat()
            },
            exclude: read.exclude,
            decrypt: read.decrypt,
            snapshots: read.snapshots,
            drop_partial: read.drop_partial,
            patience: read.patience,
            receipt: read.receipt,
            zfs: Zfs::new(&read.prefix, read.program.as_deref())?,
        })
    }
}

#[derive(Default)]
struct Words {
    into: Option<Dataset>,
    host: Option<Below>,
    allowed: Allowed,
    set: Vec<(String, String)>,
    exclude: Vec<String>,
    decrypt: Vec<String>,
    snapshots: Option<Regex>,
    drop_partial: bool,
    patience: Option<Duration>,
    receipt: Option<String>,
    prefix: Vec<String>,
    program: Option<String>,
}

impl Words {
    fn option(&mut self, name: &str, value: &str) -> Result<(), PolicyError> {
        match name {
            "into" => self.into = Some(Dataset::parse(value)?),
            "host" => self.host = Some(Below::parse(value)?),
            "allow" => self.allowed.add(value)?,
            "drop-partial" => self.drop_partial = true,
            "o" => self.set.push(assignment(value)?),
            "x" => self.exclude.push(property("-x", value)?),
            "decrypt" => self.decrypt = split(value),
            "snapshots" => self.snapshots = Some(pattern(value)?),
            "patience" => self.patience = Some(duration("--patience", value)?),
            "receipt" => self.receipt = Some(value.to_owned()),
            "prefix" => self.prefix = split(value),
            "zfs" => self.program = Some(value.to_owned()),
            other => unreachable!("--{other} is in no table"),
        }
        Ok(())
    }
}

impl Allowed {
    fn add(&mut self, kinds: &str) -> Result<(), PolicyError> {
        for kind in kinds.split(',') {
            *match kind {
                "raw" => &mut self.raw,
                "volume" => &mut self.volume,
                "package" => &mut self.package,
                "redacted" => &mut self.redacted,
                "dedup" => &mut self.dedup,
                "resuming" => &mut self.resuming,
                other => {
                    let wanted = "raw, volume, package, redacted, dedup or resuming";
                    return Err(bad("--allow", other, wanted));
                }
            } = true;
        }
        Ok(())
    }
}

fn bad(option: &'static str, value: &str, wanted: &'static str) -> PolicyError {
    PolicyError::Bad { option, value: value.to_owned(), wanted }
}

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn assignment(text: &str) -> Result<(String, String), PolicyError> {
    let wanted = "PROPERTY=VALUE";
    let (name, value) = text.split_once('=').ok_or_else(|| bad("-o", text, wanted))?;
    Ok((property("-o", name)?, value.to_owned()))
}

fn property(option: &'static str, text: &str) -> Result<String, PolicyError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-@".contains(&byte);
    if text.is_empty() || text.starts_with('-') || !text.bytes().all(legal) {
        return Err(bad(option, text, "a property"));
    }
    Ok(text.to_owned())
}

fn pattern(text: &str) -> Result<Regex, PolicyError> {
    let whole = format!("^(?:{text})$");
    Regex::new(&whole).map_err(|_| bad("--snapshots", text, "a regular expression"))
}

/// `90`, `90s`, `15m`, `36h`, `14d` or `2w`.
pub fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.find(|letter: char| !letter.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        "w" => 604_800,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

fn duration(option: &'static str, text: &str) -> Result<Duration, PolicyError> {
    let wanted = "a duration such as 36h or 14d";
    seconds(text).map(Duration::from_secs).ok_or_else(|| bad(option, text, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Policy, PolicyError> {
        let words: Vec<String> = words.split('|').map(str::to_owned).collect();
        Policy::parse(&words, "laptop")
    }

    #[test]
    fn words_become_a_policy() {
        let policy = parse(
            "--into|tank/backups/laptop|--allow=raw,volume|-o|canmount=off|-x|mountpoint|\
             --decrypt|gpg -q -d|--patience|14d|--prefix|sudo -n|--zfs|/sbin/zfs|--host|laptop",
        )
        .unwrap();
        assert!(policy.allowed.raw && policy.allowed.volume && !policy.allowed.package);
        assert_eq!(policy.readonly(), Some("on"));
        assert_eq!(policy.set.len(), 2);
        assert_eq!(policy.decrypt, ["gpg", "-q", "-d"]);
        assert_eq!(policy.patience, Some(Duration::from_secs(14 * 86400)));
        assert_eq!(policy.zfs.shown(&["list"]), "sudo -n /sbin/zfs list");
    }

    #[test]
    fn wrong_words_are_named() {
        for (words, want) in [
            ("--force", "unknown option \"--force\""),
            ("--into", "--into needs a value"),
            ("--into|a/..", "illegal dataset name \"a/..\""),
            ("--zfs|/sbin/zfs", "--into DATASET is required"),
            (
                "--into|a|--allow|clone",
                "--allow: \"clone\" is not raw, volume, package, redacted, dedup or resuming",
            ),
            ("--into|a|-o|readonly", "-o: \"readonly\" is not PROPERTY=VALUE"),
            ("--into|a|-x|-F", "-x: \"-F\" is not a property"),
            ("--into|a|--patience|1y", "--patience: \"1y\" is not a duration such as 36h or 14d"),
        ] {
            assert_eq!(parse(words).unwrap_err().to_string(), want);
        }
    }
}
