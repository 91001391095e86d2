//! The directory form of a configuration: one file a value. NNCP manual, "Configuration directory".

use super::error::{ConfigError, Fault};
use super::hjson::{self, Tree};
use super::load::io_error;
use super::schema::{Field, Kind, ROOT, join};
use serde_json::{Map, Value};
use std::{fs, io, path::Path};
use zeroize::Zeroizing;

/// Reads the directory form; the values are not checked beyond their types.
///
/// # Errors
/// Names the file that is missing, unreadable or not of its type.
pub(super) fn load(path: &Path) -> Result<Tree, ConfigError> {
    Ok(Tree::new(Value::Object(section(ROOT, path, "")?)))
}

fn section(fields: &[Field], dir: &Path, at: &str) -> Result<Map<String, Value>, ConfigError> {
    let mut map = Map::new();
    for field in fields {
        match value(&field.kind, &dir.join(field.key), &join(at, field.key))? {
            Some(value) => drop(map.insert(field.key.to_owned(), value)),
            None if field.required => {
                return Err(ConfigError::Required {
                    name: field.key.to_owned(),
                    path: dir.to_owned(),
                });
            }
            None => {}
        }
    }
    Ok(map)
}

/// What `path` holds for the key `at`; `None` when it does not exist.
fn value(kind: &Kind, path: &Path, at: &str) -> Result<Option<Value>, ConfigError> {
    if !path.try_exists().map_err(|source| io_error("stat", path, source))? {
        return Ok(None);
    }
    Ok(Some(match kind {
        Kind::Flag => Value::Bool(true),
        Kind::Text => Value::String(text(path)?),
        Kind::Texts => Value::from(text(path)?.split('\n').collect::<Vec<_>>()),
        Kind::Integer => number::<i64>(path, at)?,
        Kind::Unsigned => number::<u64>(path, at)?,
        Kind::Section(fields) => {
            names(path)?;
            Value::Object(section(fields, path, at)?)
        }
        Kind::Named(kind) => Value::Object(named(kind, path, at)?),
        Kind::Sections(fields) => Value::Array(numbered(fields, path, at)?),
        Kind::Own => {
            let bytes = Zeroizing::new(text(path)?);
            let tree = hjson::read(bytes.as_bytes())
                .map_err(|source| ConfigError::Hjson { path: path.to_owned(), source })?;
            Value::clone(&tree)
        }
    }))
}

/// Only the one line break that was added when the value was written is not part of it.
fn text(path: &Path) -> Result<String, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| io_error("read", path, source))?;
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}

fn number<T: std::str::FromStr + Into<Value>>(path: &Path, at: &str) -> Result<Value, ConfigError> {
    let text = text(path)?;
    text.parse::<T>().map(Into::into).map_err(|_| ConfigError::Value {
        key: at.to_owned(),
        value: format!("in {}", path.display()),
        fault: Fault::Number(text, "invalid syntax"),
    })
}

fn named(kind: &Kind, dir: &Path, at: &str) -> Result<Map<String, Value>, ConfigError> {
    let mut map = Map::new();
    for name in names(dir)? {
        if let Some(value) = value(kind, &dir.join(&name), &join(at, &name))? {
            map.insert(name, value);
        }
    }
    Ok(map)
}

/// Directories named by numbers, in their order; everything else there is skipped.
fn numbered(fields: &[Field], dir: &Path, at: &str) -> Result<Vec<Value>, ConfigError> {
    let mut numbers: Vec<(u64, String)> = names(dir)?
        .into_iter()
        .filter(|name| dir.join(name).is_dir())
        .filter_map(|name| Some((name.parse().ok()?, name)))
        .collect();
    numbers.sort_unstable();
    numbers
        .into_iter()
        .map(|(_, name)| Ok(Value::Object(section(fields, &dir.join(&name), &join(at, &name))?)))
        .collect()
}

/// The entries of a directory in byte order, without hidden ones.
fn names(dir: &Path) -> Result<Vec<String>, ConfigError> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut names: Vec<String> = entries
        .map_err(|source| io_error("open", dir, source))?
        .into_iter()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    Ok(names)
}
