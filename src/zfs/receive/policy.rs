//! What a receiver allows one sender.

use super::super::command::Zfs;
use super::super::decide::Refusal;
use super::super::name::{Below, Dataset, check_snapshot};
use super::super::stream::{Begin, Features, ObjsetType};
use regex_lite::Regex;
use std::time::Duration;

/// What a receiver allows one sender.
#[derive(Debug, Clone)]
pub struct Policy {
    /// All streams are received below this dataset.
    pub into: Dataset,
    /// The sender's name, recorded with each applied stream.
    pub sender: String,
    /// The prefix that the sender's dataset names must have; it is removed.
    pub host: Option<Below>,
    /// Kinds of stream that are allowed besides plain file systems.
    pub allowed: Allowed,
    /// `-o` of `zfs receive`: property and value.
    pub set: Vec<(String, String)>,
    /// `-x` of `zfs receive`.
    pub exclude: Vec<String>,
    /// The decrypting filter, with its arguments.
    pub decrypt: Vec<String>,
    /// Full match that snapshot names must have.
    pub snapshots: Option<Regex>,
    /// Discard the partial state of interrupted receives.
    pub drop_partial: bool,
    /// Reject a stream that waited longer than this.
    pub patience: Option<Duration>,
    /// The sender's handle for receipts.
    pub receipt: Option<String>,
    /// How to run `zfs`.
    pub zfs: Zfs,
}

/// Kinds of stream that are rejected unless they are allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Streams with blocks encrypted as on disk.
    pub raw: bool,
    /// Volumes.
    pub volume: bool,
    /// Packages, which are split into plain streams.
    pub package: bool,
    /// Redacted streams.
    pub redacted: bool,
    /// Deduplicated streams, which only an old `zfs` can receive.
    pub dedup: bool,
    /// Streams that resume an interrupted `receive -s`.
    pub resuming: bool,
}

impl Policy {
    /// The target of a stream's root dataset: what the sender asks for, or else the name in the
    /// stream without its pool.
    ///
    /// # Errors
    /// If the sender may not use the name.
    pub fn target(&self, asked: Option<&str>, begin: &Begin) -> Result<Dataset, Refusal> {
        let path = match asked {
            Some(text) => self.path(text)?,
            None => Dataset::parse(begin.to_name.dataset())
                .map_err(|error| Refusal::Name(error.to_string()))?
                .without_pool()
                .ok_or_else(|| Refusal::Name("the stream is of a whole pool".to_owned()))?,
        };
        self.below(&path)
    }

    /// The stream's name for messages, even if it is illegal: its target, or else what its sender
    /// asks for.
    pub(super) fn name(&self, asked: Option<&str>, begin: Option<&Begin>) -> Option<String> {
        let says = || begin.map(|begin| begin.to_name.dataset().to_owned());
        let goes = match (asked, begin) {
            (Some(text), _) => self.path(text).and_then(|path| self.below(&path)).ok(),
            (None, Some(begin)) => self.target(None, begin).ok(),
            (None, None) => None,
        };
        goes.map(|target| target.to_string()).or(asked.map(str::to_owned)).or_else(says)
    }

    fn below(&self, path: &Below) -> Result<Dataset, Refusal> {
        self.into.join(path).map_err(|error| Refusal::Name(error.to_string()))
    }

    fn path(&self, text: &str) -> Result<Below, Refusal> {
        let path = Below::parse(text).map_err(|error| Refusal::Name(error.to_string()))?;
        let Some(host) = &self.host else { return Ok(path) };
        path.below(host).ok_or_else(|| Refusal::Name(format!("{text:?} is not below {host}")))
    }

    /// Checks that the policy allows this kind of plain stream and the name of its snapshot.
    ///
    /// # Errors
    /// If it does not.
    pub fn admit(&self, begin: &Begin) -> Result<(), Refusal> {
        let has = |feature| begin.features.contains(feature);
        let kinds = [
            ("clone", begin.flags.is_clone(), false),
            ("resuming", has(Features::RESUMING), self.allowed.resuming),
            ("deduplicated", has(Features::DEDUP), self.allowed.dedup),
            ("redacted", has(Features::REDACTED), self.allowed.redacted),
            ("raw", has(Features::RAW), self.allowed.raw),
            ("volume", begin.objset == ObjsetType::Volume, self.allowed.volume),
        ];
        if let Some((kind, ..)) = kinds.iter().find(|(_, is, allowed)| *is && !*allowed) {
            return Err(Refusal::Kind(kind));
        }
        let snapshot = begin.to_name.snapshot();
        check_snapshot(snapshot).map_err(|error| Refusal::Name(error.to_string()))?;
        match &self.snapshots {
            Some(pattern) if !pattern.is_match(snapshot) => {
                Err(Refusal::Name(format!("snapshot name {snapshot:?} does not match {pattern}")))
            }
            _ => Ok(()),
        }
    }

    /// The value of `readonly` that the policy sets.
    pub(super) fn readonly(&self) -> Option<&str> {
        let readonly = self.set.iter().find(|(property, _)| property == "readonly");
        readonly.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_can_not_name_another_host_or_leave_its_root() {
        let words = ["--into", "tank/laptop", "--host", "laptop", "--zfs", "/sbin/zfs"];
        let policy = Policy::parse(&words.map(str::to_owned), "laptop").unwrap();
        let path = |text: &str| policy.path(text).map(|path| path.to_string());
        assert_eq!(path("laptop/home/anna"), Ok("home/anna".to_owned()));
        for text in [
            "server/home",
            "laptop",
            "laptopx/home",
            "laptop/../server",
            "",
            "/laptop/a",
            "laptop/a@b",
            "laptop/%recv",
        ] {
            assert!(matches!(path(text), Err(Refusal::Name(_))), "{text}");
        }
    }
}
