//! A set: datasets, destinations and options, from flags or from the configuration.

use super::way::Way;
use crate::cli::command::WrongUsage;
use crate::config::Node;
use crate::zfs::send::SetName;
use anyhow::{anyhow, bail};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Which datasets to send where, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Set {
    /// Destinations.
    pub(super) to: Vec<String>,
    /// Datasets.
    pub(super) datasets: Vec<String>,
    pub(super) way: Way,
}

/// The sets of the configuration, `packmule: { zfs: { sets: { NAME: … } } }`, not parsed yet.
///
/// # Errors
/// `zfs` or `sets` is not an object, or `zfs` has another key.
pub(super) fn configured(node: &Node) -> anyhow::Result<BTreeMap<String, Json>> {
    let own = match &node.packmule {
        Json::Null => return Ok(BTreeMap::new()),
        own => own.get("zfs"),
    };
    let Some(zfs) = own else { return Ok(BTreeMap::new()) };
    let Json::Object(zfs) = zfs else { bail!("packmule.zfs: {zfs} is not an object") };
    if let Some(key) = zfs.keys().find(|key| *key != "sets") {
        bail!("packmule.zfs.{key}: unknown key; the only key is sets");
    }
    match zfs.get("sets") {
        None => Ok(BTreeMap::new()),
        Some(Json::Object(sets)) => Ok(sets.clone().into_iter().collect()),
        Some(other) => bail!("packmule.zfs.sets: {other} is not an object with a key for each set"),
    }
}

impl Set {
    /// The set `name` of the configuration. Given `flags` override it.
    ///
    /// # Errors
    /// The path of the invalid key, and why it is invalid.
    pub(super) fn parse(name: &str, json: &Json, flags: &Way) -> anyhow::Result<Self> {
        let at = format!("packmule.zfs.sets.{name}");
        let Json::Object(keys) = json else { bail!("{at}: {json} is not an object") };
        let mut set = Self {
            to: texts(keys, &at, "to")?,
            datasets: texts(keys, &at, "datasets")?,
            way: flags.clone(),
        };
        for (key, json) in keys.iter().filter(|(key, _)| !["to", "datasets"].contains(&&***key)) {
            set.way.configure(key, json).map_err(|error| anyhow!("{at}.{key}: {error}"))?;
        }
        Ok(set)
    }

    /// The set that flags and operands (`NODE,… DATASET…`) describe. Options that were not given come
    /// from the set with this name in the configuration, if there is one.
    ///
    /// # Errors
    /// Those of [`Set::parse`], or there are no operands.
    pub(super) fn from_flags(
        name: &str,
        flags: &Way,
        operands: &[OsString],
        node: &Node,
    ) -> anyhow::Result<Self> {
        let [to, datasets @ ..] = operands else { return Err(WrongUsage.into()) };
        let text = |word: &OsString| word.to_string_lossy().into_owned();
        let way = match configured(node)?.get(name) {
            Some(json) => Self::parse(name, json, flags)?.way,
            None => flags.clone(),
        };
        let to = text(to).split(',').map(str::to_owned).collect();
        Ok(Self { to, datasets: datasets.iter().map(text).collect(), way })
    }

    /// The other sets of the configuration that send to another place at their destinations. Skips
    /// invalid sets: they send nothing.
    pub(super) fn apart(&self, name: &str, node: &Node) -> Vec<SetName> {
        let others = configured(node).unwrap_or_default().into_iter();
        let others = others.filter(|(other, _)| other != name).filter(|(other, json)| {
            let other = Self::parse(other, json, &Way::default());
            other.is_ok_and(|other| other.way.place() != self.way.place())
        });
        others.filter_map(|(other, _)| other.parse().ok()).collect()
    }
}

/// Checks that no two sets of the configuration send one dataset to the same place. Each set has
/// its own marks, so each would send a full stream, and the destination would reject the second.
///
/// # Errors
/// The names of both sets, the dataset and destination they share, and what to do.
pub(super) fn check_apart(
    name: &str,
    sets: &BTreeMap<String, Json>,
    node: &Node,
) -> anyhow::Result<()> {
    let parse =
        |name: &str| sets.get(name).and_then(|json| Set::parse(name, json, &Way::default()).ok());
    let Some(set) = parse(name) else { return Ok(()) };
    for other_name in sets.keys().filter(|other| *other != name) {
        let Some(other) = parse(other_name) else { continue };
        if let Some((dataset, destination)) = set.meets(&other, node) {
            bail!(
                "packmule.zfs.sets: {name} and {other_name} both send {dataset} to {destination}: \
                 let one set do it, or give one of them another host or handle, to send it into \
                 another dataset there"
            );
        }
    }
    Ok(())
}

impl Set {
    /// A dataset that both sets send to the same place, and its destination.
    fn meets(&self, other: &Self, node: &Node) -> Option<(String, String)> {
        let id = |name: &String| node.find(name).ok().map(|found| (found.id, found.name.clone()));
        let ids: Vec<_> = other.to.iter().filter_map(id).collect();
        let both = |found: &(_, String)| ids.iter().any(|(id, _)| *id == found.0);
        let (_, destination) = self.to.iter().filter_map(id).find(both)?;
        let dataset = self.datasets.iter().find_map(|own| {
            let shared = other.datasets.iter().find_map(|theirs| self.overlap(own, other, theirs));
            shared.map(str::to_owned)
        })?;
        (self.way.place() == other.way.place()).then_some((dataset, destination))
    }

    /// The dataset that both entries include, if any.
    fn overlap<'a>(&self, own: &'a str, other: &Self, theirs: &'a str) -> Option<&'a str> {
        let below = |name: &str, root: &str| {
            name.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
        };
        if own == theirs || other.way.recursive && below(own, theirs) {
            return Some(own);
        }
        (self.way.recursive && below(theirs, own)).then_some(theirs)
    }
}

/// A list of strings; empty if the key is absent.
fn texts(keys: &Map<String, Json>, at: &str, key: &str) -> anyhow::Result<Vec<String>> {
    let wrong = |json: &Json| anyhow!("{at}.{key}: {json} is not a list of strings");
    match keys.get(key) {
        None => Ok(Vec::new()),
        Some(json @ Json::Array(listed)) => {
            let texts = listed.iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(|| wrong(json))
        }
        Some(json) => Err(wrong(json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        let parse = |text: &str| {
            let json = serde_json::from_str(text).unwrap();
            Set::parse("main", &json, &Way::default()).map(drop).map_err(|error| error.to_string())
        };
        for (text, want) in [
            ("7", "packmule.zfs.sets.main: 7 is not an object"),
            (
                r#"{"to": "vault"}"#,
                r#"packmule.zfs.sets.main.to: "vault" is not a list of strings"#,
            ),
            (r#"{"keep": -1}"#, "packmule.zfs.sets.main.keep: -1 is not a number from 0 up"),
            (r#"{"dataset": []}"#, "packmule.zfs.sets.main.dataset: unknown key"),
        ] {
            assert_eq!(parse(text), Err(want.to_owned()));
        }
        assert_eq!(parse(r#"{"to": ["vault"], "datasets": ["tank"], "raw": true}"#), Ok(()));
    }
}
