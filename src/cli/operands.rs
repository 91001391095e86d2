//! The operands that follow a command's flags: their names, and how many a command takes.

use super::flag::Flag;
use super::value::Kind;
use crate::nearest::meant;
use std::ffi::OsString;

/// The operands that a command takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operands {
    /// Their names, separated by blanks. `[X]` is optional, `X...` can be repeated, `[X...]` is both.
    pub names: &'static str,
    /// Advice for a surplus operand; may be empty.
    pub instead: &'static str,
    /// True if `-- PROGRAM [ARG...]` may follow. Then the command checks its operands itself.
    pub program: bool,
}

impl Operands {
    /// No operands.
    pub(crate) const NONE: Self = Self::these("");

    /// Operands with these names.
    pub(crate) const fn these(names: &'static str) -> Self {
        Self { names, instead: "", program: false }
    }

    /// Sets the advice for a surplus operand.
    #[must_use]
    pub(crate) const fn instead(self, instead: &'static str) -> Self {
        Self { instead, ..self }
    }

    /// Allows a program after `--`; see [`program`](Self::program).
    #[must_use]
    pub(crate) const fn or_program(self) -> Self {
        Self { program: true, ..self }
    }

    /// The error if there are too many or too few operands. Suggests one of `flags` if it is similar.
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
        let mut text = format!("unexpected argument {word:?}");
        let mistyped = meant(word.trim_start_matches('-'), flags.iter().map(|flag| &*flag.name));
        let has_node = flags.iter().any(|flag| flag.name == "node" && flag.kind != Kind::Switch);
        if word.starts_with('-') && word.len() > 1 {
            text += ": put options before the other arguments";
        } else if !self.instead.is_empty() {
            text = format!("{text}: {}", self.instead);
        } else if let (true, Some(flag)) = (word.len() > 2, mistyped) {
            text = format!("{text}: did you mean -{flag}?");
        } else if has_node {
            text = format!("{text}: to select a neighbour, use -node {word}");
        }
        text
    }
}
