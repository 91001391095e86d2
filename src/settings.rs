//! The settings of builtin handlers. Each builtin declares its settings in a table, which drives
//! the parser, the help and the manual.

use crate::nearest::meant;
use std::fmt::{self, Write};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name without dashes.
    pub name: &'static str,
    /// The kind of value, in capitals; empty for a switch.
    pub value: &'static str,
    /// Its help text, on one line.
    pub help: &'static str,
    /// More text for the manual; may be empty.
    pub more: &'static str,
}

/// The settings of a builtin.
#[derive(Debug, Clone, Copy)]
pub struct Settings(pub &'static [Setting]);

/// Why words are not valid settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No setting has this name. Also holds a suggestion.
    #[error("unknown option {0:?}{1}")]
    Unknown(String, String),
    /// The value is missing at the end of the words.
    #[error("{0} needs a value")]
    Missing(String),
    /// A switch with a value.
    #[error("{0} takes no value")]
    Switch(String),
}

impl Setting {
    /// A setting with a value.
    pub const fn takes(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value, help, more: "" }
    }

    /// A setting without a value.
    pub const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, value: "", help, more: "" }
    }

    /// Adds text for the manual.
    #[must_use]
    pub const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    /// The command before `zfs`. Several builtins have this setting.
    pub const PREFIX: Self =
        Self::takes("prefix", "COMMAND", "command before zfs, such as \"sudo -n\"");
    /// The `zfs` program to run. Several builtins have this setting.
    pub const ZFS: Self = Self::takes("zfs", "PROGRAM", "the zfs program to run");
}

/// The setting with its dashes: `--into`, `-o`.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dashes = if self.name.len() == 1 { "-" } else { "--" };
        write!(f, "{dashes}{}", self.name)
    }
}

impl Settings {
    /// Parses settings: `--name value` or `--name=value`, with one dash or two. Returns name and
    /// value of each in order. A switch has an empty value.
    ///
    /// # Errors
    /// The first invalid word.
    pub fn read<W: AsRef<[u8]>>(
        self,
        words: &[W],
    ) -> Result<Vec<(&'static str, &[u8])>, SettingError> {
        let mut read = Vec::new();
        let mut words = words.iter().map(AsRef::as_ref);
        while let Some(word) = words.next() {
            let body = word.strip_prefix(b"--").or(word.strip_prefix(b"-")).unwrap_or_default();
            let (name, value) = match body.iter().position(|byte| *byte == b'=') {
                Some(at) => (&body[..at], Some(&body[at + 1..])),
                None => (body, None),
            };
            let known = self.0.iter().find(|setting| setting.name.as_bytes() == name);
            let setting = known.ok_or_else(|| self.unknown(word, name))?;
            let value = match (setting.value, value) {
                ("", None) => &[][..],
                ("", Some(_)) => return Err(SettingError::Switch(setting.to_string())),
                (_, Some(value)) => value,
                (_, None) => {
                    words.next().ok_or_else(|| SettingError::Missing(setting.to_string()))?
                }
            };
            read.push((setting.name, value));
        }
        Ok(read)
    }

    fn unknown(self, word: &[u8], name: &[u8]) -> SettingError {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let bare = if name.is_empty() { word } else { name };
        let nearest = meant(&text(bare), self.0.iter().map(|setting| setting.name));
        let nearest = self.0.iter().find(|setting| Some(setting.name) == nearest);
        let hint = nearest.map(|setting| format!(" (did you mean {setting}?)")).unwrap_or_default();
        SettingError::Unknown(text(word), hint)
    }

    /// The help text: one or more lines for each setting.
    pub fn help(self) -> String {
        /// The column at which help texts begin, and the maximal width of a line.
        const COLUMN: usize = 24;
        const WIDTH: usize = 96;
        let mut out = String::new();
        for setting in self.0 {
            let mut line = format!("  {setting} {}", setting.value).trim_end().to_owned();
            let mut separator = if line.len() < COLUMN { COLUMN - line.len() } else { 1 };
            for word in setting.help.split(' ') {
                if line.len() + 1 + word.len() > WIDTH {
                    let _ = writeln!(out, "{line}");
                    (line, separator) = (String::new(), COLUMN);
                }
                let _ = write!(line, "{:separator$}{word}", "");
                separator = 1;
            }
            let _ = writeln!(out, "{line}");
        }
        out
    }

    /// The list for the manual page: a term and its text for each setting.
    pub fn manual(self) -> String {
        let mut out = String::new();
        for setting in self.0 {
            let value = match setting.value {
                "" => String::new(),
                value => format!(" *{}*", value.to_lowercase()),
            };
            let mut text = setting.help.to_owned();
            text[..1].make_ascii_uppercase();
            let more = if setting.more.is_empty() { "" } else { " " };
            let _ = writeln!(out, "`{setting}`{value}\n: {text}.{more}{}\n", setting.more);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Settings = Settings(&[
        Setting::takes("into", "DATASET", "everything goes below this dataset"),
        Setting::switch("loose", "do not look closely").more("As elsewhere."),
        Setting::takes("o", "PROPERTY=VALUE", "set this"),
    ]);

    fn read(words: &[&str]) -> Result<String, String> {
        let read = SOME.read(words).map_err(|error| error.to_string())?;
        let shown =
            read.iter().map(|(name, value)| format!("{name}:{}", String::from_utf8_lossy(value)));
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn one_dash_or_two_and_the_value_apart_or_joined() {
        for words in [&["--into", "x"][..], &["-into", "x"], &["--into=x"], &["-into=x"]] {
            assert_eq!(read(words), Ok("into:x".into()), "{words:?}");
        }
        assert_eq!(read(&["-o", "a=b", "--loose", "-o=c=d"]), Ok("o:a=b loose: o:c=d".into()));
        assert_eq!(read(&["--into="]), Ok("into:".into()));
        assert_eq!(read(&["--into", "--loose"]), Ok("into:--loose".into()));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (words, want) in [
            (&["--force"][..], "unknown option \"--force\""),
            (&["--intro", "x"], "unknown option \"--intro\" (did you mean --into?)"),
            (&["into", "x"], "unknown option \"into\" (did you mean --into?)"),
            (&["--into"], "--into needs a value"),
            (&["--loose=yes"], "--loose takes no value"),
            (&["-"], "unknown option \"-\""),
        ] {
            assert_eq!(read(words), Err(want.to_owned()));
        }
    }

    #[test]
    fn help_and_manual_come_from_the_table() {
        assert_eq!(
            SOME.help(),
            "  --into DATASET        everything goes below this dataset\n\
             \x20 --loose               do not look closely\n\
             \x20 -o PROPERTY=VALUE     set this\n"
        );
        assert!(SOME.manual().starts_with("`--into` *dataset*\n: Everything goes below"));
        assert!(SOME.manual().contains("`--loose`\n: Do not look closely. As elsewhere.\n"));
    }
}
