//! Two sections with one id: a node that lists itself under its own name, too. Where they say the
//! same they are two names of one thing; where they differ nobody could tell which counts.

use super::error::ConfigError;
use super::schema::join;
use super::warning::Warning;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The names that stand for others, by what they stand for. `ids` is every section's id by its
/// name, `sections` the canonical values below `at`. `self` counts before other names, which count
/// in byte order.
///
/// # Errors
/// [`ConfigError::SameId`] where two sections of one id differ in something that has an effect.
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

/// The value without what says nothing: empty sections and lists, switches that are off.
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
