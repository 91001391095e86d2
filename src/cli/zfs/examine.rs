//! Checks the sets of the configuration for `packmule doctor`.

use super::set::{Set, check_apart, configured};
use super::way::Way;
use crate::config::Node;
use crate::doctor::{Finding, Level};
use crate::spool::Spool;
use crate::zfs::command::{Zfs, ZfsError};
use crate::zfs::mounts::datasets_of;
use crate::zfs::name::{Dataset, word};
use crate::zfs::send::SetName;
use anyhow::{Context, anyhow};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Checks all sets. Reports a set that would send the dataset of the spool.
pub(in crate::cli) fn findings(node: &Node, spool: &Spool) -> Vec<Finding> {
    let mut findings = unknown_keys("packmule", &node.packmule, &["zfs"]);
    for neighbour in node.neighbours.values() {
        let at = format!("neigh.{}.packmule", neighbour.name);
        findings.extend(unknown_keys(&at, &neighbour.packmule, &["proof"]));
    }
    match configured(node) {
        Ok(sets) if sets.is_empty() => {}
        Ok(sets) => {
            let spool = datasets_of(&spool.devices()).unwrap_or_default();
            findings.extend(sets.keys().flat_map(|name| of_set(name, &sets, node, &spool)));
        }
        Err(error) => findings.push(unusable(&error)),
    }
    findings
}

/// Keys among packmule's own settings that no command reads.
fn unknown_keys(at: &str, settings: &Json, known: &[&str]) -> Vec<Finding> {
    let keys = settings.as_object().into_iter().flat_map(|map| map.keys());
    let unknown = keys.filter(|key| !known.contains(&key.as_str()));
    unknown.map(|key| unusable(&anyhow!("{at}.{key}: unknown key"))).collect()
}

fn of_set(
    name: &str,
    sets: &BTreeMap<String, Json>,
    node: &Node,
    spool: &BTreeSet<String>,
) -> Vec<Finding> {
    let set = check_apart(name, sets, node)
        .and_then(|()| Set::parse(name, &sets[name], &Way::default()))
        .and_then(|set| set.check(name, node).map(|()| set));
    match set {
        Ok(set) => set.examine(name, spool),
        Err(error) => vec![unusable(&error)],
    }
}

impl Set {
    /// Checks the configuration of a set for faults that would make `zfs run` fail.
    ///
    /// # Errors
    /// The first fault, with the path of its key.
    pub(super) fn check(&self, name: &str, node: &Node) -> anyhow::Result<()> {
        let at = |key: &str| format!("packmule.zfs.sets.{name}.{key}");
        name.parse::<SetName>().with_context(|| format!("packmule.zfs.sets.{name}"))?;
        // The text of these errors begins with the key.
        let wrong = |error| anyhow!("packmule.zfs.sets.{name}.{error:#}");
        self.way.options(name).map(drop).map_err(wrong)?;
        self.way.nice.level().with_context(|| at("nice"))?;
        for to in &self.to {
            node.find(to).with_context(|| at("to"))?;
        }
        for dataset in &self.datasets {
            Dataset::parse(dataset).with_context(|| at("datasets"))?;
        }
        for (key, listed) in [("to", &self.to), ("datasets", &self.datasets)] {
            anyhow::ensure!(
                !listed.is_empty(),
                "{}: the list is empty, so the set sends nothing",
                at(key)
            );
        }
        Ok(())
    }

    /// Checks the datasets of a set in the pools.
    fn examine(&self, name: &str, spool: &BTreeSet<String>) -> Vec<Finding> {
        let zfs = match Zfs::new(&self.way.prefix.0, self.way.zfs.as_deref()) {
            Ok(zfs) => zfs,
            Err(error) => return vec![unusable(&error.into())],
        };
        let absent = self.datasets.iter().filter(|dataset| {
            let asked = zfs.ask(&["list", "-H", "-o", "name", dataset]);
            asked.is_err_and(|error| error.is_absent())
        });
        let absent = absent.map(|dataset| Finding {
            level: Level::Fault,
            name: "zfs-dataset-absent",
            what: format!("packmule.zfs.sets.{name}.datasets: {dataset} does not exist"),
            advice: "correct the name, or import its pool".into(),
        });
        let held = spool.iter().filter(|held| self.sends(held) && !is_left_out(&zfs, held));
        absent.chain(held.map(|held| lies_in(name, held))).collect()
    }

    /// True if the set includes the dataset, by name.
    fn sends(&self, name: &str) -> bool {
        self.datasets.iter().any(|root| {
            let below = name.strip_prefix(&**root);
            below.is_some_and(|rest| rest.is_empty() || self.way.recursive && rest.starts_with('/'))
        })
    }
}

/// True if a property excludes the dataset from sending. False if `zfs get` fails.
fn is_left_out(zfs: &Zfs, dataset: &str) -> bool {
    let properties = "packmule:exclude,org.complete.simplesnap:exclude";
    let answer: Result<_, ZfsError> = zfs.ask(&["get", "-H", "-o", "value", properties, dataset]);
    answer.is_ok_and(|answer| answer.lines().any(|value| value == "on"))
}

fn lies_in(set: &str, dataset: &str) -> Finding {
    let exclude = format!("zfs set packmule:exclude=on {}", word(dataset));
    Finding {
        level: Level::Fault,
        name: "zfs-spool-sent",
        what: format!(
            "the spool is in {dataset}, which the set {set} would send: every run would send what \
             the runs before it queued, again, so it is not sent"
        ),
        advice: format!("move the spool to a dataset of its own and exclude that: {exclude}"),
    }
}

fn unusable(error: &anyhow::Error) -> Finding {
    Finding {
        level: Level::Fault,
        name: "zfs-set-unusable",
        what: format!("{error:#}"),
        advice: "correct it; packmule-zfs(1) lists the keys of a set".into(),
    }
}
