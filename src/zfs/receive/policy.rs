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
    /// Everything goes below this dataset.
    pub into: Dataset,
    /// Recorded with each applied stream.
    pub sender: String,
    /// The first component that the sender must name.
    pub host: Option<Below>,
    /// Kinds of stream beyond plain file systems.
    pub allowed: Allowed,
    /// `-o` of `zfs receive`: property and value.
    pub set: Vec<(String, String)>,
    /// `-x` of `zfs receive`.
    pub exclude: Vec<String>,
    /// A filter that decrypts, with its arguments.
    pub decrypt: Vec<String>,
    /// Snapshot names must match this.
    pub snapshots: Option<Regex>,
    /// Partial state of interrupted receives is thrown away.
    pub drop_partial: bool,
    /// A deferral older than this becomes a rejection.
    pub patience: Option<Duration>,
    /// The handle at the sender that is told what is held here.
    pub receipt: Option<String>,
    /// How `zfs` is run.
    pub zfs: Zfs,
}

/// Kinds of stream that are refused unless allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Encrypted as on disk.
    pub raw: bool,
    /// Volumes.
    pub volume: bool,
    /// Packages, which are cut into plain streams.
    pub package: bool,
    /// Redacted streams.
    pub redacted: bool,
    /// Deduplicated streams, which only old `zfs` receive.
    pub dedup: bool,
    /// Streams that go on where an interrupted `receive -s` stopped.
    pub resuming: bool,
}

impl Policy {
    /// Where a stream of the root dataset goes: what the sender asks for, or else the name in the
    /// stream without its pool.
    ///
    /// # Errors
    /// When the sender may not use the name.
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

    /// How a stream is called in messages, whatever is wrong with its name: where it would go, or what
    /// its sender says.
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

    /// Admits a plain stream, if it is of a kind that is allowed and its snapshot may be called so.
    ///
    /// # Errors
    /// When not.
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

    /// What `readonly` is asked to be.
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
