//! Prints a comparison: for people, for programs, and in the format of NetBSD's mtree.

use super::compare::{Class, Level};
use super::comparison::{Comparison, Object, Verdict, What};
use super::digest::{Algorithm, hex};
use super::escape::Escaped;
use super::facts::{Device, Facts, Kind, Timestamp};
use super::keyword::Keyword;
use super::manifest::Manifest;
use super::value::{self, Mode, write_xattr};
use serde_json::json;
use std::io::{self, Write};

/// How a comparison is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// One line per difference.
    #[default]
    Text,
    /// JSON objects, one per line; the summary comes last.
    Json,
    /// As NetBSD's mtree prints it, with escaped names. What it has no word for is printed in its
    /// style.
    Mtree,
}

/// Prints the differences. Names and values are escaped, so they cannot forge a line or control a
/// terminal.
///
/// # Errors
/// If the output cannot be written.
pub fn show(
    comparison: &Comparison,
    manifest: &Manifest,
    level: Level,
    format: Format,
    output: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Text => {
            each(comparison, manifest, |item| output.write_all(item.line(level).as_bytes()))
        }
        Format::Json => each(comparison, manifest, |item| writeln!(output, "{}", item.json(level))),
        Format::Mtree => {
            let missing = |what: &What| matches!(what, What::Missing);
            for last in [false, true] {
                let differences = comparison.differences.iter();
                for one in differences.filter(|one| missing(&one.what) == last) {
                    as_mtree(&one.object, &one.what, manifest, output)?;
                }
            }
            Ok(())
        }
    }
}

/// The summary of a comparison, in one or two lines; as JSON, one object.
pub fn summary(comparison: &Comparison, level: Level, format: Format) -> String {
    if format == Format::Json {
        return format!("{}\n", json_summary(comparison, level));
    }
    let unchecked = comparison.caveat().map(|line| line + "\n").unwrap_or_default();
    format!("{unchecked}{}\n", verdict(comparison, level))
}

fn verdict(comparison: &Comparison, level: Level) -> String {
    let mut text = format!("{} objects compared: ", comparison.objects);
    text.push_str(match comparison.verdict(level) {
        Verdict::Equal if comparison.differences.is_empty() && comparison.undigested > 0 => {
            "equal in what was compared"
        }
        Verdict::Equal if comparison.differences.is_empty() => "equal",
        Verdict::Equal => "equal in what matters",
        Verdict::Different => "different",
        Verdict::Unchecked => "not all could be checked",
    });
    for (nth, (class, count)) in comparison.counts().into_iter().enumerate() {
        text.push_str(if nth == 0 { "; " } else { ", " });
        text.push_str(&format!("{count} {}", class.name()));
    }
    if !comparison.troubles.is_empty() {
        text.push_str(&format!("; {} not checked", comparison.troubles.len()));
    }
    text
}

fn json_summary(comparison: &Comparison, level: Level) -> serde_json::Value {
    let verdict = match comparison.verdict(level) {
        Verdict::Equal => "equal",
        Verdict::Different => "different",
        Verdict::Unchecked => "unchecked",
    };
    let counts: serde_json::Map<_, _> = comparison
        .counts()
        .into_iter()
        .map(|(class, count)| (class.name().to_owned(), count.into()))
        .collect();
    let content = (comparison.undigested > 0).then(|| "content".to_owned());
    let unchecked: Vec<_> =
        content.into_iter().chain(comparison.unchecked.iter().map(|one| one.to_string())).collect();
    let unchecked = unchecked.join(",");
    json!({
        "verdict": verdict,
        "objects": comparison.objects,
        "counts": counts,
        "troubles": comparison.troubles.len(),
        "files": comparison.files,
        "undigested": comparison.undigested,
        "unchecked": unchecked,
    })
}

/// One difference.
struct Item {
    class: Class,
    path: String,
    keyword: Option<Keyword>,
    expected: String,
    found: String,
}

impl Item {
    fn line(&self, level: Level) -> String {
        let note = if level.fails(self.class) { "" } else { " (does not count)" };
        let (class, path) = (self.class.name(), &self.path);
        match self.keyword {
            None => format!("{class} {path}{note}\n"),
            Some(keyword) => {
                let (expected, found) = (&self.expected, &self.found);
                format!("{class} {path}: {keyword} {expected}, found {found}{note}\n")
            }
        }
    }

    fn json(&self, level: Level) -> serde_json::Value {
        let (class, fails) = (self.class.name(), level.fails(self.class));
        match self.keyword {
            None => json!({ "class": class, "path": self.path, "fails": fails }),
            Some(keyword) => json!({
                "class": class,
                "path": self.path,
                "keyword": keyword.name(),
                "expected": self.expected,
                "found": self.found,
                "fails": fails,
            }),
        }
    }
}

fn each(
    comparison: &Comparison,
    manifest: &Manifest,
    mut give: impl FnMut(Item) -> io::Result<()>,
) -> io::Result<()> {
    for difference in &comparison.differences {
        let path = written_path(&difference.object, manifest);
        let whole = |class| Item {
            class,
            path: path.clone(),
            keyword: None,
            expected: String::new(),
            found: String::new(),
        };
        match (&difference.what, &difference.object) {
            (What::Differs(keywords, found), Object::Entry(id)) => {
                let expected = manifest.facts(*id);
                for keyword in keywords.iter() {
                    give(Item {
                        class: Class::of(keyword),
                        path: path.clone(),
                        keyword: Some(keyword),
                        expected: shown(expected, keyword),
                        found: shown(found, keyword),
                    })?;
                }
            }
            (what, _) => {
                for class in what.classes() {
                    give(whole(class))?;
                }
            }
        }
    }
    Ok(())
}

fn written_path(object: &Object, manifest: &Manifest) -> String {
    match object.path(manifest) {
        root if root.is_empty() => ".".to_owned(),
        path => format!("./{}", Escaped(&path)),
    }
}

/// A value for people: as in a manifest; for extended attributes, their names and values.
fn shown(facts: &Facts, keyword: Keyword) -> String {
    let mut text = Vec::new();
    if keyword == Keyword::Xattr {
        for (nth, xattr) in facts.rare().xattrs.iter().enumerate() {
            text.extend_from_slice(if nth == 0 { b"" } else { b" " });
            write_xattr(xattr, &mut text);
        }
    }
    if keyword == Keyword::Type && facts.kind.is_none() {
        let implied = match facts {
            facts if !facts.digests.is_empty() => Kind::File,
            facts if facts.rare().link.is_some() => Kind::Link,
            facts if facts.rare().device.is_some() => Kind::Char,
            _ => Kind::Dir,
        };
        return implied.name().to_owned();
    }
    let written = value::write(facts, keyword, &mut text);
    match written {
        None if text.is_empty() => "none".to_owned(),
        _ => String::from_utf8(text).expect("values are ASCII"),
    }
}

/// The order in which NetBSD's mtree compares.
const MTREE_ORDER: [Keyword; 18] = [
    Keyword::Device,
    Keyword::Uid,
    Keyword::Uname,
    Keyword::Gid,
    Keyword::Gname,
    Keyword::Mode,
    Keyword::Nlink,
    Keyword::Size,
    Keyword::Time,
    Keyword::Cksum,
    Keyword::Md5,
    Keyword::Rmd160,
    Keyword::Sha1,
    Keyword::Sha256,
    Keyword::Sha384,
    Keyword::Sha512,
    Keyword::Link,
    Keyword::Xattr,
];

fn as_mtree(
    object: &Object,
    what: &What,
    manifest: &Manifest,
    output: &mut impl Write,
) -> io::Result<()> {
    let written = written_path(object, manifest);
    let path = written.strip_prefix("./").unwrap_or(&written);
    let (Object::Entry(id), What::Differs(keywords, found)) = (object, what) else {
        return match what {
            What::Missing => writeln!(output, "missing: {written}"),
            What::Extra => writeln!(output, "extra: {path}"),
            _ => writeln!(output, "{}\thard link broken", head(path)),
        };
    };
    let expected = manifest.facts(*id);
    if keywords.contains(Keyword::Type) {
        let name = |facts: &Facts| facts.kind.unwrap_or(Kind::Dir).name();
        return writeln!(output, "{}\ttype ({}, {})", head(path), name(expected), name(found));
    }
    let head = head(path);
    output.write_all(head.as_bytes())?;
    let mut tab = if head.ends_with('\n') { "\t" } else { "" };
    for keyword in MTREE_ORDER.into_iter().filter(|keyword| keywords.contains(*keyword)) {
        writeln!(output, "{tab}{}", mtree_item(keyword, expected, found))?;
        tab = "\t";
    }
    Ok(())
}

/// The path in a column of eight characters, or on a line of its own.
fn head(path: &str) -> String {
    let head = format!("{path}: ");
    if head.len() > 8 { head + "\n" } else { format!("{head:8}") }
}

fn mtree_item(keyword: Keyword, expected: &Facts, found: &Facts) -> String {
    let pair = |word: &str, show: &dyn Fn(&Facts) -> String| {
        format!("{word} ({}, {})", show(expected), show(found))
    };
    match keyword {
        Keyword::Device => pair("device", &|facts| number(facts.rare().device)),
        Keyword::Uid => pair("user", &|facts| shown(facts, Keyword::Uid)),
        Keyword::Uname => pair("user", &|facts| shown(facts, Keyword::Uname)),
        Keyword::Gname => pair("gid", &|facts| shown(facts, Keyword::Gname)),
        Keyword::Mode => pair("permissions", &|facts| {
            format!("0{}", Mode(facts.mode.unwrap_or(0)).to_string().trim_start_matches('0'))
        }),
        Keyword::Nlink => pair("link count", &|facts| shown(facts, Keyword::Nlink)),
        Keyword::Time => pair("modification time", &|facts| date(facts.time)),
        Keyword::Link => {
            let show = |facts| shown(facts, Keyword::Link);
            format!("link ref ({}, {})", show(found), show(expected))
        }
        other => match other.algorithm() {
            None | Some(Algorithm::Cksum) => pair(other.name(), &|facts| shown(facts, other)),
            Some(algorithm) => pair(other.name().trim_end_matches("digest"), &|facts| {
                format!("0x{}", facts.digests.find(algorithm).map(hex).unwrap_or_default())
            }),
        },
    }
}

fn number(device: Option<Device>) -> String {
    let device = device.unwrap_or(Device { major: 0, minor: 0 });
    format!("{:#x}", rustix::fs::makedev(device.major, device.minor))
}

/// As ctime(3), in local time.
fn date(time: Option<Timestamp>) -> String {
    let time = time.unwrap_or_default();
    match jiff::Timestamp::from_second(time.seconds) {
        Ok(moment) => {
            let local = moment.to_zoned_datetime(jiff::tz::TimeZone::system());
            local.strftime("%a %b %e %H:%M:%S %Y").to_string()
        }
        Err(_) => time.to_string(),
    }
}
