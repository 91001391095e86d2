//! The one table of the configuration's keys and their types. The Hjson reader, the directory form
//! and the printer use it. NNCP manual, "Configuration file".

use super::error::ConfigError;
use super::hjson::Tree;
use packmule_protocol::packet::kind::Row;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The type of a key's value.
pub(super) enum Kind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A whole number, not negative.
    Unsigned,
    /// `true` or `false`.
    Flag,
    /// A list of strings.
    Texts,
    /// An object with these keys.
    Section(&'static [Field]),
    /// An object whose keys the user chooses; all values are of one kind.
    Named(&'static Kind),
    /// A list of objects with these keys.
    Sections(fn() -> &'static [Field]),
    /// packmule's own settings. Other modules parse them.
    Own,
}

/// A key and the type of its value.
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// True if the directory form must have the file.
    pub(super) required: bool,
}

const fn field(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, required: false }
}

const fn need(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, required: true }
}

use Kind::{Flag, Integer, Named, Own, Section, Sections, Text, Texts, Unsigned};

const MAIL: &[Field] = &[need("from", Text), need("to", Text)];

/// The key that makes toss skip a kind of packets during a call.
pub(super) fn autotoss_no(name: &str) -> String {
    format!("autotoss-no{name}")
}

/// A call, with a key for each name in the table of kinds.
fn call() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        // The names are made only once, so leaking them is harmless.
        let leave = Row::named().map(|row| field(autotoss_no(row.name).leak(), Flag));
        let before = [
            need("cron", Text),
            field("nice", Text),
            field("xx", Text),
            field("rxrate", Integer),
            field("txrate", Integer),
            field("addr", Text),
            field("onlinedeadline", Unsigned),
            field("maxonlinetime", Unsigned),
            field("when-tx-exists", Flag),
            field("nock", Flag),
            field("mcd-ignore", Flag),
            field("autotoss", Flag),
            field("autotoss-doseen", Flag),
        ];
        before.into_iter().chain(leave).chain([field("autotoss-gen-ack", Flag)]).collect()
    });
    &FIELDS
}

const NEIGHBOUR: &[Field] = &[
    need("id", Text),
    need("exchpub", Text),
    need("signpub", Text),
    field("noisepub", Text),
    field("incoming", Text),
    field("exec", Named(&Texts)),
    field(
        "freq",
        Section(&[
            field("path", Text),
            field("chunked", Unsigned),
            field("minsize", Unsigned),
            field("maxsize", Unsigned),
        ]),
    ),
    field("ack", Section(&[field("minsize", Unsigned), field("nice", Text)])),
    field("via", Texts),
    field("addrs", Named(&Text)),
    field("rxrate", Integer),
    field("txrate", Integer),
    field("onlinedeadline", Unsigned),
    field("maxonlinetime", Unsigned),
    field("calls", Sections(call)),
    field("packmule", Own),
];

const AREA: &[Field] = &[
    need("id", Text),
    field("pub", Text),
    field("prv", Text),
    field("subs", Texts),
    field("incoming", Text),
    field("exec", Named(&Texts)),
    field("allow-unknown", Flag),
];

/// The keys of the root.
pub(super) const ROOT: &[Field] = &[
    need("spool", Text),
    need("log", Text),
    field("umask", Text),
    field("noprogress", Flag),
    field("nohdr", Flag),
    field("mcd-listen", Texts),
    field("mcd-send", Named(&Integer)),
    field("yggdrasil-aliases", Named(&Text)),
    field(
        "notify",
        Section(&[
            field("file", Section(MAIL)),
            field("freq", Section(MAIL)),
            field("exec", Named(&Section(MAIL))),
        ]),
    ),
    field(
        "self",
        Section(&[
            need("id", Text),
            need("exchpub", Text),
            need("exchprv", Text),
            need("signpub", Text),
            need("signprv", Text),
            need("noisepub", Text),
            need("noiseprv", Text),
        ]),
    ),
    field("neigh", Named(&Section(NEIGHBOUR))),
    field("areas", Named(&Section(AREA))),
    field("packmule", Own),
];

/// A tree in canonical form: only known keys, in their declared spelling, each value of the
/// declared type, no null.
#[derive(Debug)]
pub(super) struct Canonical {
    pub(super) tree: Tree,
    /// Paths of unknown keys, which were dropped.
    pub(super) unknown: Vec<String>,
}

/// Converts `tree` to canonical form.
///
/// # Errors
/// The first value that is not of its key's type.
pub(super) fn canonical(tree: &Tree) -> Result<Canonical, ConfigError> {
    let mut unknown = Vec::new();
    let map = tree.as_object().ok_or_else(|| mismatch("", tree, "an object"))?;
    let tree = Tree::new(section(ROOT, map, "", &mut unknown)?);
    Ok(Canonical { tree, unknown })
}

/// The path of `key` below `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

type Outcome = Result<Value, ConfigError>;

/// Matches keys without regard to case. Merges several spellings of a key in byte order, like the
/// reference: objects get the members of all, of other values the last spelling wins.
fn section(
    fields: &[Field],
    map: &Map<String, Value>,
    path: &str,
    unknown: &mut Vec<String>,
) -> Outcome {
    let known = |key: &String| fields.iter().any(|field| field.key.eq_ignore_ascii_case(key));
    unknown.extend(map.keys().filter(|key| !known(key)).map(|key| join(path, key)));
    let mut out = Map::new();
    for field in fields {
        let mut spellings: Vec<_> =
            map.iter().filter(|(key, _)| field.key.eq_ignore_ascii_case(key)).collect();
        spellings.sort_by_key(|(key, _)| *key);
        for (key, value) in spellings.into_iter().filter(|(_, value)| !value.is_null()) {
            let value = typed(&field.kind, value, &join(path, key), unknown)?;
            match (out.get_mut(field.key), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
                (_, value) => drop(out.insert(field.key.to_owned(), value)),
            }
        }
    }
    Ok(Value::Object(out))
}

fn typed(kind: &Kind, value: &Value, path: &str, unknown: &mut Vec<String>) -> Outcome {
    let wrong = |wanted| Err(mismatch(path, value, wanted));
    match (kind, value) {
        (Own, Value::Object(_)) | (Text, Value::String(_)) | (Flag, Value::Bool(_)) => {
            Ok(value.clone())
        }
        (Integer, _) if value.is_i64() => Ok(value.clone()),
        (Unsigned, _) if value.is_u64() => Ok(value.clone()),
        (Section(fields), Value::Object(map)) => section(fields, map, path, unknown),
        (Named(kind), Value::Object(map)) => map
            .iter()
            .map(|(key, value)| Ok((key.clone(), member(kind, value, &join(path, key), unknown)?)))
            .collect::<Result<_, ConfigError>>()
            .map(Value::Object),
        (Texts, Value::Array(list)) => elements(&Text, list, path, unknown),
        (Sections(fields), Value::Array(list)) => elements(&Section(fields()), list, path, unknown),
        (Text, _) => wrong("a string (quote it)"),
        (Integer, _) => wrong("a whole number"),
        (Unsigned, _) => wrong("a whole number that is not negative"),
        (Flag, _) => wrong("true or false"),
        (Texts, _) => wrong("a list of strings"),
        (Section(_) | Named(_) | Own, _) => wrong("an object"),
        (Sections(_), _) => wrong("a list of objects"),
    }
}

fn elements(kind: &Kind, list: &[Value], path: &str, unknown: &mut Vec<String>) -> Outcome {
    list.iter()
        .enumerate()
        .map(|(n, value)| member(kind, value, &format!("{path}[{n}]"), unknown))
        .collect::<Result<_, ConfigError>>()
        .map(Value::Array)
}

/// A member of a list or of an object with free keys, where `null` means the empty value.
fn member(kind: &Kind, value: &Value, path: &str, unknown: &mut Vec<String>) -> Outcome {
    match (value, kind) {
        (Value::Null, Text) => Ok(Value::from("")),
        (Value::Null, Integer | Unsigned) => Ok(Value::from(0)),
        (Value::Null, Texts | Sections(_)) => Ok(Value::Array(Vec::new())),
        (Value::Null, Section(_) | Named(_)) => Ok(Value::Object(Map::new())),
        (Value::Null, Flag) => Ok(Value::Bool(false)),
        _ => typed(kind, value, path, unknown),
    }
}

fn mismatch(path: &str, value: &Value, wanted: &'static str) -> ConfigError {
    let key = if path.is_empty() { "the configuration" } else { path };
    let found = match value {
        Value::String(_) | Value::Number(_) if is_secret(path) => "not shown".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    };
    ConfigError::Type { key: key.to_owned(), found, wanted }
}

/// True for values that no message may show.
pub(super) fn is_secret(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with("prv")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(fields: &[Field], found: &mut Vec<&'static str>) {
        for field in fields {
            found.push(field.key);
            let mut kind = &field.kind;
            while let Named(inner) = kind {
                kind = inner;
            }
            match kind {
                Section(inner) => keys(inner, found),
                Sections(inner) => keys(inner(), found),
                _ => {}
            }
        }
    }

    #[test]
    fn the_manual_page_lists_every_key() {
        let page = include_str!("../../doc/man/nncp.hjson.5.md");
        let mut found = Vec::new();
        keys(ROOT, &mut found);
        // The manual names the keys of `notify` and `freq` in the title of their entry.
        let listed = |key: &&str| {
            page.contains(&format!("`{key}`"))
                || page.contains(&format!("{key},"))
                || page.contains(&format!("{key}}}"))
                // The manual replaces `{autotoss-no}` with the keys of all kinds.
                || key.starts_with("autotoss-no") && page.contains("{autotoss-no}")
        };
        let missing: Vec<_> = found.into_iter().filter(|key| !listed(key)).collect();
        assert_eq!(missing, [""; 0]);
    }
}
