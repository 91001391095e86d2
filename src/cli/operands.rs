//! The words that follow a command's flags: how many it takes, and what they are called.

use super::flag::Flag;
use super::value::Kind;
use crate::nearest::meant;
use std::ffi::OsString;

/// The words that a command takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operands {
    /// Their names with blanks between: `[X]` may be left out, `X...` may be repeated, `[X...]` both.
    pub names: &'static str,
    /// Where a word belongs that is none of them; may be empty.
    pub instead: &'static str,
    /// `-- PROGRAM [ARG...]` may stand there too; then the command itself looks at its words.
    pub program: bool,
}

impl Operands {
    /// None at all.
    pub(crate) const NONE: Self = Self::these("");

    /// These.
    pub(crate) const fn these(names: &'static str) -> Self {
        Self { names, instead: "", program: false }
    }

    /// What is to be said about a word too many.
    #[must_use]
    pub(crate) const fn instead(self, instead: &'static str) -> Self {
        Self { instead, ..self }
    }

    /// Or a program behind `--`, see [`program`](Self::program).
    #[must_use]
    pub(crate) const fn or_program(self) -> Self {
        Self { program: true, ..self }
    }

    /// What is wrong with these words: too many, or too few of them. One of `flags` may be meant.
    pub(crate) fn fault(
        self,
        words: &[OsString],
        flags: impl FnOnce() -> Vec<Flag>,
    ) -> Option<String> {
        if self.program && words.iter().any(|word| word == "--") {
            return None;
        }
        let names: Vec<_> = self.names.split_whitespace().collect();
        let is_repeated = names.iter().any(|name| name.contains("...") && !name.contains(",..."));
        let missing = names.iter().skip(words.len()).find(|name| !name.starts_with('['));
        match words.get(names.len()) {
            _ if missing.is_some() => missing.map(|name| format!("{name} is missing")),
            Some(surplus) if !is_repeated => {
                Some(self.surplus(&surplus.to_string_lossy(), &flags()))
            }
            _ => None,
        }
    }

    fn surplus(self, word: &str, flags: &[Flag]) -> String {
        let mut text = format!("the word {word:?} is too many");
        let mistyped = meant(word.trim_start_matches('-'), flags.iter().map(|flag| &*flag.name));
        let has_node = flags.iter().any(|flag| flag.name == "node" && flag.kind != Kind::Switch);
        if word.starts_with('-') && word.len() > 1 {
            text += ": options stand before the other words";
        } else if !self.instead.is_empty() {
            text = format!("{text}: {}", self.instead);
        } else if let (true, Some(flag)) = (word.len() > 2, mistyped) {
            text = format!("{text}: did you mean -{flag}?");
        } else if has_node {
            text = format!("{text}: for one neighbour alone say -node {word}");
        }
        text
    }
}
