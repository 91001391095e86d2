//! The options of a set. One list declares both the flags of `send` and `resend` and the keys of a
//! set in the configuration.

use crate::cli::flag::{Flags, flags};
use crate::cli::given::Given;
use crate::cli::nice::Nice;
use crate::cli::value::{Kind, Value, ValueError};
use crate::zfs::receive::seconds;
use crate::zfs::send::{Flow, Naming, Options};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::Duration;

flags! {
    /// The options of a set. A key in the configuration is the field's name, with dashes.
    pub(super) struct Way {
        use given: Given;
        /// Naming of snapshots: packmule, or simplesnap to continue a chain that simplesnap began
        "naming" naming: Option<String> = Some("packmule".into());
        /// Also send children, except those with org.complete.simplesnap:exclude=on or packmule:exclude=on
        "r" recursive: bool;
        /// Send raw: encrypted as on disk (zfs send -w)
        "w" raw: bool;
        /// Send blocks compressed as on disk (zfs send -c)
        "c" compressed: bool;
        /// Send blocks larger than 128 KiB (zfs send -L)
        "L" large_blocks: bool;
        /// Send embedded-data blocks (zfs send -e)
        "e" embedded: bool;
        /// Level of zstd compression; 0: none
        "zstd" zstd: i64 = 3;
        /// Command that encrypts the stream: words separated by blanks, no shell
        "encrypt" encrypt: Words;
        /// Handle to run at the destination
        "handle" handle: Option<String> = Some("zfsreceive".into());
        /// Host name to put before the dataset's name, for a receiver with --host
        "host" host: Option<String>;
        /// Skip datasets to which nothing was written
        "skip-unchanged" skip_unchanged: bool;
        /// Number of the set's snapshots to keep, 0: all; a base is never removed
        "keep" keep: u64;
        /// How long to keep marks of sent snapshots
        "keep-marks" keep_marks: Option<String> = Some("90d".into());
        /// Command before zfs, such as sudo -n
        "prefix" prefix: Words;
        /// The zfs program to run
        "zfs" zfs: Option<String>;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::BULK);
    }
}

/// A command and its arguments: a text to split at white space; in a configuration also a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words(pub(super) Vec<String>);

impl Value for Words {
    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        let text = text.to_str().ok_or(ValueError::Syntax)?;
        self.0 = text.split_whitespace().map(str::to_owned).collect();
        Ok(())
    }

    fn shown(&self) -> String {
        String::new()
    }

    fn set_words(&mut self, words: Vec<String>) -> bool {
        self.0 = words;
        true
    }
}

impl Way {
    /// Applies a key of the configuration, unless the command line gave its flag.
    ///
    /// # Errors
    /// The key is unknown, or the value has the wrong type.
    pub(super) fn configure(&mut self, key: &str, json: &Json) -> Result<(), String> {
        let mut fresh = Self::default();
        let Some((flag, value)) = fresh.setting(key) else {
            return Err("unknown key".to_owned());
        };
        // A wrong value is reported even if a flag overrides it.
        set(value, json).map_err(|wanted| format!("{json} is not {wanted}"))?;
        if !self.given.has(flag) {
            let (_, value) = self.setting(key).expect("the same list");
            set(value, json).expect("it was taken before");
        }
        Ok(())
    }

    /// The options of the set `name`.
    ///
    /// # Errors
    /// The key whose value is invalid.
    pub(super) fn options(&self, name: &str) -> anyhow::Result<Options> {
        let naming = match self.naming.as_deref().unwrap_or_default() {
            "packmule" => Naming::Packmule,
            "simplesnap" => Naming::Simplesnap,
            other => bail!("naming: {other:?} is neither packmule nor simplesnap"),
        };
        let zstd = i32::try_from(self.zstd).ok().filter(|level| (0..=22).contains(level));
        let Some(zstd) = zstd else {
            bail!("zstd: {} is not a level from 0 to 22", self.zstd);
        };
        let keep_marks = self.keep_marks.as_deref().unwrap_or_default();
        let keep_marks = seconds(keep_marks)
            .with_context(|| format!("keep-marks: {keep_marks:?} is not a duration"))?;
        Ok(Options {
            set: name.parse()?,
            naming,
            recursive: self.recursive,
            raw: self.raw,
            compressed: self.compressed,
            large_blocks: self.large_blocks,
            embedded: self.embedded,
            skip_unchanged: self.skip_unchanged,
            keep: (self.keep > 0).then(|| usize::try_from(self.keep).unwrap_or(usize::MAX)),
            keep_marks: Duration::from_secs(keep_marks),
            flow: Flow { zstd: (zstd > 0).then_some(zstd), encrypt: self.encrypt.0.clone() },
            apart: Vec::new(),
            spool: BTreeSet::new(),
        })
    }

    /// The place at a destination: handle and host. Sets with the same place share its datasets.
    pub(super) fn place(&self) -> (&str, &str) {
        (self.handle.as_deref().unwrap_or_default(), self.host.as_deref().unwrap_or_default())
    }
}

/// Sets a value from the configuration. The error is the expected type.
fn set(value: &mut dyn Value, json: &Json) -> Result<(), &'static str> {
    let takes_words = value.set_words(Vec::new());
    let wanted = match value.kind() {
        Kind::Switch => "true or false",
        Kind::Integer => "a whole number",
        Kind::Unsigned => "a number from 0 up",
        _ if takes_words => "a list of words",
        _ => "a string",
    };
    let text = match (json, value.kind()) {
        (Json::Array(listed), _) if takes_words => {
            let words = listed.iter().map(|word| word.as_str().map(str::to_owned));
            value.set_words(words.collect::<Option<_>>().ok_or(wanted)?);
            return Ok(());
        }
        _ if takes_words => return Err(wanted),
        (Json::Bool(on), Kind::Switch) => on.to_string(),
        (Json::Number(number), Kind::Integer | Kind::Unsigned) => number.to_string(),
        (_, Kind::Switch | Kind::Integer | Kind::Unsigned) => return Err(wanted),
        (Json::String(text), _) => text.clone(),
        _ => return Err(wanted),
    };
    value.set(OsStr::new(&text)).map_err(|_| wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse::parse;
    use std::ffi::OsString;

    fn flags(line: &[&str]) -> Way {
        let line: Vec<_> = line.iter().map(OsString::from).collect();
        parse(&line, crate::cli::command::Face::Own).unwrap().flags
    }

    /// For each field: its key, a value that differs from the default, and the flag that gives the
    /// default.
    const ROWS: [(&str, &str, &[&str]); 16] = [
        ("naming", r#""simplesnap""#, &["-naming", "packmule"]),
        ("recursive", "true", &["-r=false"]),
        ("raw", "true", &["-w=false"]),
        ("compressed", "true", &["-c=false"]),
        ("large-blocks", "true", &["-L=false"]),
        ("embedded", "true", &["-e=false"]),
        ("zstd", "9", &["-zstd", "3"]),
        ("encrypt", r#"["age", "-r", "K E Y"]"#, &["-encrypt", ""]),
        ("handle", r#""other""#, &["-handle", "zfsreceive"]),
        ("host", r#""laptop""#, &["-host", ""]),
        ("skip-unchanged", "true", &["-skip-unchanged=false"]),
        ("keep", "7", &["-keep", "0"]),
        ("keep-marks", r#""7d""#, &["-keep-marks", "90d"]),
        ("prefix", r#"["sudo", "-n"]"#, &["-prefix="]),
        ("zfs", r#""/opt/zfs""#, &["-zfs", ""]),
        ("nice", r#""P""#, &["-nice", "B"]),
    ];

    fn shown(way: &Way) -> String {
        let text = format!("{way:?}");
        text.split_once("naming: ").map(|(_, fields)| fields.to_owned()).unwrap()
    }

    #[test]
    fn a_flag_beats_the_configuration_and_that_beats_the_default() {
        assert_eq!(ROWS.len(), Way::declared().len(), "one row a field");
        let usual = shown(&Way::default());
        for (key, json, line) in ROWS {
            let json = serde_json::from_str(json).unwrap();
            let mut configured = Way::default();
            configured.configure(key, &json).unwrap();
            assert_ne!(shown(&configured), usual, "{key} is taken");
            let mut given = flags(line);
            given.configure(key, &json).unwrap();
            assert_eq!(shown(&given), usual, "{line:?} is given, and equals the default");
        }
    }

    #[test]
    fn a_wrong_key_or_value_is_reported_in_our_words() {
        for (key, json, want) in [
            ("keeep", "1", "unknown key"),
            ("set", r#""x""#, "unknown key"),
            ("keep", "-1", "-1 is not a number from 0 up"),
            ("keep", "1.5", "1.5 is not a number from 0 up"),
            ("zstd", r#""9""#, "\"9\" is not a whole number"),
            ("raw", r#""yes""#, "\"yes\" is not true or false"),
            ("encrypt", r#""age -r K""#, "\"age -r K\" is not a list of words"),
            ("host", "7", "7 is not a string"),
            ("host", r#"["a"]"#, "[\"a\"] is not a string"),
        ] {
            let json = serde_json::from_str(json).unwrap();
            assert_eq!(flags(&["-keep", "3"]).configure(key, &json), Err(want.to_owned()));
        }
    }
}
