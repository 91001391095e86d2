//! Sections that share one id, such as a node listed both as `self` and under its own name. If they
//! are equal, one is an alias of the other. If they differ, it is ambiguous which one applies.

use super::error::ConfigError;
use super::schema::join;
use super::warning::Warning;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The aliases: each with the name that it stands for. `ids`: every section's id by name.
/// `sections`: the canonical values below `at`. Of equal sections, `self` is the main one, or else
/// the first name in byte order.
///
/// # Errors
/// [`ConfigError::SameId`] if two sections with one id differ in a setting that has an effect.
pub(super) fn aliases<Id: Ord + ToString>(
    at: &str,
    sections: Option<&Map<String, Value>>,
    ids: &BTreeMap<&String, Id>,
    warnings: &mut Vec<Warning>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut first: BTreeMap<&Id, &String> = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    let own = ids.iter().filter(|(name, _)| **name == "self");
    let others = ids.iter().filter(|(name, _)| **name != "self");
    for (name, id) in own.chain(others) {
        let Some(other) = first.get(id) else {
            first.insert(id, name);
            continue;
        };
        let section = |name: &String| sections.and_then(|map| map.get(name)).map(effective);
        let (one, two) = (join(at, other), join(at, name));
        if section(other) != section(name) {
            return Err(ConfigError::SameId(one, two, id.to_string()));
        }
        warnings.push(Warning::Twins(one, two));
        aliases.insert((*name).clone(), (*other).clone());
    }
    Ok(aliases)
}

/// The value without settings that have no effect: empty sections and lists, switches that are off.
fn effective(value: &Value) -> Value {
    let says_nothing = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Bool(on) => !on,
        _ => false,
    };
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), effective(value)))
            .filter(|(_, value)| !says_nothing(value))
            .collect(),
        other => other.clone(),
    }
}
