//! Builds a checked [`Node`] from canonical values.

mod area;
mod at;
mod neighbour;
mod own;

use super::error::ConfigError;
use super::node::{Mail, Neighbour, Node, Notify};
use super::twins;
use super::warning::Warning;
use crate::disk::is_file_name;
use crate::log::Target;
use area::areas;
use at::{At, octal};
use neighbour::{neighbour, neighbour_ids};
use own::{one_self, private_keys};
use serde_json::Value;
use std::collections::BTreeMap;

/// Checks what the schema cannot check: paths, keys, references. Adds problems that do not keep the
/// node from working to `warnings`.
///
/// # Errors
/// The first fault, in the reference's order: own keys, paths, neighbours, their relays, areas.
pub(super) fn node(root: &Value, warnings: &mut Vec<Warning>) -> Result<Node, ConfigError> {
    let root = At { path: String::new(), map: root.as_object() };
    let neigh = root.under("neigh");
    if !neigh.has("self") {
        return Err(ConfigError::SelfMissing);
    }
    let own = root.under("self");
    let keys = root.has("self").then(|| private_keys(&own, warnings)).transpose()?;
    let spool = root.absolute("spool", "Spool")?;
    let log = Target::File(root.absolute("log", "Log")?);
    let umask = root.checked("umask", octal)?;
    let ids = neighbour_ids(&neigh)?;
    let aliases = twins::aliases("neigh", neigh.map, &ids, warnings)?;
    let mut neighbours = BTreeMap::new();
    for (name, at) in neigh.members() {
        // The name becomes a link in the spool, and a directory in a dump of the configuration.
        if !is_file_name(name) {
            return Err(ConfigError::Name(format!("neigh.{name}")));
        }
        if !aliases.contains_key(name) {
            neighbours.insert(name.clone(), neighbour(name, &at, warnings)?);
        }
    }
    warnings.extend(neighbours.values().flat_map(Neighbour::bad_keys).map(Warning::BadKey));
    for (name, at) in neigh.members() {
        let via = at.nodes("via", &ids)?;
        neighbours.entry(name.clone()).and_modify(|neighbour| neighbour.via = via);
    }
    if keys.is_some() {
        one_self(own.node_id()?, &own, &neighbours["self"], warnings)?;
    }
    let (areas, area_aliases) = areas(&root.under("areas"), &ids, warnings)?;
    Ok(Node {
        spool,
        log,
        umask,
        noprogress: root.flag("noprogress"),
        nohdr: root.flag("nohdr"),
        mcd_listen: root.texts("mcd-listen"),
        mcd_send: root.under("mcd-send").values(Value::as_i64),
        notify: notify(&root.under("notify")),
        keys,
        neighbours,
        aliases,
        areas,
        area_aliases,
        packmule: root.get("packmule").cloned().unwrap_or_default(),
    })
}

fn notify(at: &At<'_>) -> Notify {
    let mail = |at: &At<'_>| Mail {
        from: at.text("from").unwrap_or_default().to_owned(),
        to: at.text("to").unwrap_or_default().to_owned(),
    };
    Notify {
        file: at.has("file").then(|| mail(&at.under("file"))),
        freq: at.has("freq").then(|| mail(&at.under("freq"))),
        // The reference ignores an entry without addresses.
        exec: at
            .under("exec")
            .members()
            .filter(|(_, at)| at.has("from") || at.has("to"))
            .map(|(name, at)| (name.clone(), mail(&at)))
            .collect(),
    }
}
