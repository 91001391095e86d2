//! The directory form of a configuration: a file for each value. NNCP manual, "Configuration
//! directory".

use super::error::{ConfigError, Fault};
use super::hjson::{self, Tree};
use super::schema::{Field, Kind, ROOT, join};
use crate::disk::is_file_name;
use serde_json::{Map, Value};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads the directory form at `path`. Checks only the types of the values.
///
/// # Errors
/// Names the file that is missing, unreadable or not of its type.
pub fn load(path: &Path) -> Result<Tree, ConfigError> {
    Ok(Tree::new(Value::Object(section(ROOT, path, "")?)))
}

/// Writes the directory form of canonical values to `path`. Overwrites existing files with the same
/// name and keeps all others.
///
/// # Errors
/// Those of the disk; a name or value that a file cannot hold.
pub fn dump(tree: &Tree, path: &Path) -> Result<(), ConfigError> {
    put(&Kind::Section(ROOT), tree, path, "")
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

/// The value in `path` for the key `at`; `None` if the file does not exist.
fn value(kind: &Kind, path: &Path, at: &str) -> Result<Option<Value>, ConfigError> {
    if !path.try_exists().map_err(|error| ConfigError::io("stat", path, error))? {
        return Ok(None);
    }
    Ok(Some(match kind {
        Kind::Flag => Value::Bool(true),
        Kind::Text => Value::String(text(path)?),
        Kind::Texts => Value::from(text(path)?.split('\n').collect::<Vec<_>>()),
        Kind::Integer => number::<i64>(path, at)?,
        Kind::Unsigned => number::<u64>(path, at)?,
        Kind::Section(fields) => {
            fs::read_dir(path).map_err(|error| ConfigError::io("open", path, error))?;
            Value::Object(section(fields, path, at)?)
        }
        Kind::Named(kind) => Value::Object(named(kind, path, at)?),
        Kind::Sections(fields) => Value::Array(numbered(fields(), path, at)?),
        Kind::Own => {
            let bytes = Zeroizing::new(text(path)?);
            let tree = hjson::read(bytes.as_bytes())
                .map_err(|error| ConfigError::Hjson { path: path.to_owned(), error })?;
            Value::clone(&tree)
        }
    }))
}

/// The text of a file without its last line break, which `put_line` added.
fn text(path: &Path) -> Result<String, ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| ConfigError::io("read", path, error))?;
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
    // The reference skips names that begin with a dot, and so loses the entry `mcd-send: {.*: 10}`.
    let hidden = matches!(kind, Kind::Integer);
    for name in names(dir)?.into_iter().filter(|name| hidden || !name.starts_with('.')) {
        if let Some(value) = value(kind, &dir.join(&name), &join(at, &name))? {
            map.insert(name, value);
        }
    }
    Ok(map)
}

/// Reads the directories named by numbers, in numeric order. Skips all other entries.
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

/// The entries of a directory in byte order.
fn names(dir: &Path) -> Result<Vec<String>, ConfigError> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut names: Vec<String> = entries
        .map_err(|error| ConfigError::io("open", dir, error))?
        .into_iter()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Writes the value of the key `at` to `path`.
fn put(kind: &Kind, value: &Value, path: &Path, at: &str) -> Result<(), ConfigError> {
    match (kind, value) {
        (Kind::Flag, Value::Bool(true)) => put_file(path, ""),
        (Kind::Flag, _) => Ok(()),
        (Kind::Texts, Value::Array(list)) if list.is_empty() => Ok(()),
        (Kind::Texts, Value::Array(list)) => {
            let lines: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            if lines.iter().any(|line| line.contains('\n')) {
                return Err(ConfigError::Lines(at.to_owned()));
            }
            put_line(path, &lines.join("\n"))
        }
        (Kind::Section(fields), Value::Object(map)) => {
            make_dir(path)?;
            fields.iter().try_for_each(|field| put_field(field, map, path, at))
        }
        (Kind::Named(kind), Value::Object(map)) => map.iter().try_for_each(|(name, value)| {
            let at = join(at, name);
            if !is_file_name(name) {
                return Err(ConfigError::Name(at));
            }
            make_dir(path)?;
            put(kind, value, &path.join(name), &at)
        }),
        (Kind::Sections(fields), Value::Array(list)) => {
            list.iter().enumerate().try_for_each(|(n, value)| {
                make_dir(path)?;
                put(&Kind::Section(fields()), value, &path.join(n.to_string()), at)
            })
        }
        (Kind::Own, value) => put_file(path, &hjson::print(value)),
        (_, Value::String(text)) => put_line(path, text),
        (_, value) => put_line(path, &value.to_string()),
    }
}

/// Writes a field. A missing field that the directory form requires becomes an empty line.
fn put_field(
    field: &Field,
    map: &Map<String, Value>,
    dir: &Path,
    at: &str,
) -> Result<(), ConfigError> {
    let path = dir.join(field.key);
    match map.get(field.key) {
        Some(value) => put(&field.kind, value, &path, &join(at, field.key)),
        None if field.required => put_line(&path, ""),
        None => Ok(()),
    }
}

fn make_dir(path: &Path) -> Result<(), ConfigError> {
    fs::create_dir_all(path).map_err(|error| ConfigError::io("mkdir", path, error))
}

fn put_line(path: &Path, text: &str) -> Result<(), ConfigError> {
    put_file(path, &Zeroizing::new(format!("{text}\n")))
}

/// Writes a file. Makes files of private keys readable by their owner only, existing ones too.
fn put_file(path: &Path, text: &str) -> Result<(), ConfigError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let private = path.to_string_lossy().ends_with("prv");
    if private {
        options.mode(0o600);
    }
    let write = || {
        let mut file = options.open(path)?;
        if private {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        file.write_all(text.as_bytes())
    };
    write().map_err(|error| ConfigError::io("write", path, error))
}

#[cfg(test)]
mod tests {
    use super::super::load::checked;
    use super::super::{Loaded, load_tree};
    use super::*;

    /// The directory form of a configuration with every key.
    fn everything() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let file = Path::new("testvectors/config/everything.hjson");
        let tree = load_tree(file, || unreachable!("not encrypted")).unwrap();
        dump(&tree, dir.path()).unwrap();
        dir
    }

    fn loaded(dir: &Path) -> Result<Loaded, ConfigError> {
        checked(&load(dir)?)
    }

    /// Checks the error if the file `name` holds `content`.
    fn check(name: &str, content: &str, want: &str) {
        let dir = everything();
        fs::write(dir.path().join(name), content).unwrap();
        let error = loaded(dir.path()).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }

    #[test]
    fn only_one_line_break_belongs_to_the_file_and_not_to_the_value() {
        check("spool", " /a\n", "Spool path must be absolute");
        check("neigh/bob/via", "carol\n\n", "Invalid node id size");
        check("neigh/bob/rxrate", " 5\n", "parsing \" 5\": invalid syntax");
        check("neigh/bob/rxrate", "5\r\n", "parsing \"5\\r\": invalid syntax");
        check("umask", "022\n\n", "invalid syntax");
    }

    #[test]
    fn w25_a_negative_number_is_not_a_large_one() {
        check("neigh/bob/freq/chunked", "-1\n", "neigh.bob.freq.chunked");
        check("neigh/bob/onlinedeadline", "-1\n", "parsing \"-1\"");
        check("neigh/bob/calls/0/maxonlinetime", "-1\n", "parsing \"-1\"");
    }

    #[test]
    fn what_must_be_there_is_missed_by_name() {
        for name in [
            "spool",
            "log",
            "self/noiseprv",
            "neigh/bob/id",
            "notify/file/to",
            "neigh/bob/calls/1/cron",
            "areas/news/id",
        ] {
            let dir = everything();
            fs::remove_file(dir.path().join(name)).unwrap();
            let error = loaded(dir.path()).unwrap_err().to_string();
            let file = name.rsplit('/').next().unwrap();
            assert!(error.contains(&format!("required \"{file}\" does not exist")), "{error}");
        }
    }

    #[test]
    fn a_file_where_a_directory_should_be_is_an_error() {
        for name in ["neigh/bob/exec", "neigh/bob/freq", "neigh/bob/calls", "areas"] {
            let dir = everything();
            fs::remove_dir_all(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name), "").unwrap();
            let error = loaded(dir.path()).unwrap_err().to_string();
            assert!(error.contains("not a directory"), "{name}: {error}");
        }
    }

    #[test]
    fn flags_are_files_hidden_names_are_skipped_and_calls_are_in_the_order_of_their_numbers() {
        let dir = everything();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("nohdr"), "false\n").unwrap();
        fs::create_dir(at("neigh/.git")).unwrap();
        fs::write(at("neigh/bob/calls/README"), "").unwrap();
        fs::create_dir(at("neigh/bob/calls/x")).unwrap();
        for (number, minute) in [("10", 10), ("09", 9)] {
            fs::create_dir(at("neigh/bob/calls").join(number)).unwrap();
            fs::write(
                at("neigh/bob/calls").join(number).join("cron"),
                format!("{minute} * * * *\n"),
            )
            .unwrap();
        }
        let node = loaded(dir.path()).unwrap().node;
        assert!(node.nohdr);
        let crons: Vec<_> =
            node.neighbours["bob"].calls.iter().map(|call| call.cron.to_string()).collect();
        assert_eq!(crons, ["*/5 * * * *", "0 0 L * *", "9 * * * *", "10 * * * *"]);
    }

    #[test]
    fn private_keys_are_their_owner_s_also_in_files_that_were_there() {
        let dir = everything();
        let key = dir.path().join("self/exchprv");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        dump(&load(dir.path()).unwrap(), dir.path()).unwrap();
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let public = fs::metadata(dir.path().join("self/exchpub")).unwrap().permissions().mode();
        assert_eq!(public & 0o111, 0);
    }

    #[test]
    fn packmule_s_own_settings_survive() {
        let dir = tempfile::tempdir().unwrap();
        let text =
            b"spool: /a\npackmule: {zfs: {a: [1, \"b\"]}}\nneigh: {self: {packmule: {x: true}}}\n";
        let tree = hjson::read(text).unwrap();
        let tree = super::super::schema::canonical(&tree).unwrap().tree;
        dump(&tree, dir.path()).unwrap();
        let again = load(dir.path()).unwrap();
        assert_eq!(again["packmule"], tree["packmule"]);
        assert_eq!(again["neigh"]["self"]["packmule"], tree["neigh"]["self"]["packmule"]);
    }
}
