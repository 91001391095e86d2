//! An object of the canonical values with its path, and typed access to its members.

use super::super::error::{ConfigError, Fault};
use super::super::schema::{is_secret, join};
use packmule_protocol::id::{NodeId, ParseIdError};
use packmule_protocol::keys::ParseKeyError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// An object and its path. Every value has the type that the schema declares.
pub(super) struct At<'a> {
    pub(super) path: String,
    pub(super) map: Option<&'a Map<String, Value>>,
}

impl<'a> At<'a> {
    /// The value of a member.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key)
    }

    /// True if the object has this member.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The object under `key`; empty if the key is absent.
    pub(super) fn under(&self, key: &str) -> At<'a> {
        At { path: join(&self.path, key), map: self.get(key).and_then(Value::as_object) }
    }

    /// The objects it holds, by name.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a String, At<'a>)> {
        self.map.into_iter().flatten().map(|(name, value)| {
            (name, At { path: join(&self.path, name), map: value.as_object() })
        })
    }

    /// The members for which `pick` returns a value, by name.
    pub(super) fn values<T>(&self, pick: impl Fn(&'a Value) -> Option<T>) -> BTreeMap<String, T> {
        let members = self.map.into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.clone(), pick(value)?))).collect()
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn unsigned(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.get(key).map(text_list).unwrap_or_default()
    }

    /// The error for `key`, with its value.
    pub(super) fn fault(&self, key: &str, fault: Fault) -> ConfigError {
        let value = match self.get(key) {
            None => "missing".to_owned(),
            Some(_) if is_secret(key) => "not shown".to_owned(),
            Some(value) => value.to_string(),
        };
        ConfigError::Value { key: join(&self.path, key), value, fault }
    }

    /// The text under `key`, parsed by `check`; `None` if the key is absent.
    pub(super) fn checked<T>(
        &self,
        key: &str,
        check: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Option<T>, ConfigError> {
        let checked = self.text(key).map(check).transpose();
        checked.map_err(|fault| self.fault(key, fault))
    }

    /// A required absolute path.
    pub(super) fn absolute(&self, key: &str, what: &'static str) -> Result<PathBuf, ConfigError> {
        absolute(self.text(key).unwrap_or_default(), what).map_err(|fault| self.fault(key, fault))
    }

    /// A required node id. A missing id counts as an empty text, which is not an id.
    pub(super) fn node_id(&self) -> Result<NodeId, ConfigError> {
        let text = self.text("id").unwrap_or_default();
        node_id(text).map_err(|fault| self.fault("id", fault))
    }

    /// A required key; `what` is its name in the reference's messages.
    pub(super) fn key<T: FromStr<Err = ParseKeyError>>(
        &self,
        key: &str,
        what: &'static str,
    ) -> Result<T, ConfigError> {
        let text = self.text(key).unwrap_or_default();
        text.parse().map_err(|error| self.fault(key, Fault::key(what, error)))
    }

    /// An optional key.
    pub(super) fn optional_key<T: FromStr<Err = ParseKeyError>>(
        &self,
        key: &str,
        what: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.has(key).then(|| self.key(key, what)).transpose()
    }

    /// A list of neighbours, by name or id.
    pub(super) fn nodes(
        &self,
        key: &str,
        ids: &BTreeMap<&String, NodeId>,
    ) -> Result<Vec<NodeId>, ConfigError> {
        let find = |text: String| match ids.get(&text) {
            Some(id) => Ok(*id),
            None => node_id(&text).and_then(|id| {
                ids.values().find(|known| **known == id).copied().ok_or(Fault::UnknownNode)
            }),
        };
        let nodes = self.texts(key).into_iter().map(find).collect::<Result<_, _>>();
        nodes.map_err(|fault| self.fault(key, fault))
    }

    /// A size in KiB, as bytes.
    pub(super) fn kib(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        let bytes = |kib: u64| kib.checked_mul(1024).filter(|bytes| i64::try_from(*bytes).is_ok());
        self.unsigned(key)
            .map(|kib| bytes(kib).ok_or_else(|| self.fault(key, Fault::TooBig)))
            .transpose()
    }

    /// Silence after which a call ends.
    pub(super) fn deadline(&self) -> Result<Option<Duration>, ConfigError> {
        match self.unsigned("onlinedeadline") {
            Some(0) => Err(self.fault("onlinedeadline", Fault::ZeroDeadline)),
            seconds => Ok(seconds.map(Duration::from_secs)),
        }
    }

    /// Maximal length of a call; `None`: no limit.
    pub(super) fn max_online(&self) -> Option<Duration> {
        self.unsigned("maxonlinetime").filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// Packets per second; `None`: not configured, 0: no limit.
    pub(super) fn rate(&self, key: &str) -> Option<u64> {
        Some(u64::try_from(self.get(key)?.as_i64()?).unwrap_or(0))
    }
}

/// The strings of a list.
pub(super) fn text_list(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn node_id(text: &str) -> Result<NodeId, Fault> {
    text.parse().map_err(|error| match error {
        ParseIdError::Base32(error) => Fault::Node { text: text.to_owned(), error },
        ParseIdError::Size(_) => Fault::Size("node id"),
    })
}

/// An absolute path; `what` is its name in the reference's messages.
pub(super) fn absolute(text: &str, what: &'static str) -> Result<PathBuf, Fault> {
    match text.starts_with('/') {
        true => Ok(clean(text)),
        false => Err(Fault::Relative(what)),
    }
}

/// An absolute path without `.`, `..` and doubled slashes, without looking at the disk.
fn clean(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(clean.pop()),
            name => clean.push(name),
        }
    }
    clean
}

/// A mask in octal digits.
pub(super) fn octal(text: &str) -> Result<u32, Fault> {
    let fault = |why| Err(Fault::Octal(text.to_owned(), why));
    if text.is_empty() || !text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return fault("invalid syntax");
    }
    match u16::from_str_radix(text, 8) {
        Ok(mask) => Ok(mask.into()),
        Err(_) => fault("value out of range"),
    }
}
