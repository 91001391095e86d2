//! Reads a manifest line by line.

use super::super::digest::hex;
use super::super::entry::EntryId;
use super::super::facts::Facts;
use super::super::keyword::Keyword;
use super::super::line::{Line, LineError, Lines};
use super::fault::{Fault, ReadError};
use super::names::Names;
use super::options::ReadOptions;
use super::path::components;
use super::reading::{Reading, Trailer};
use super::tree::Tree;
use super::values::Values;
use super::warning::{Warning, Warnings};
use super::word::{keyword_of, lossy, split_words};
use std::io::BufRead;

/// Reads a manifest.
///
/// # Errors
/// The first line that is invalid, exceeds a limit, or cannot be read.
pub fn read(input: impl BufRead, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut lines = Lines::new(input, options.limits.line);
    let mut reader = Reader::new(options);
    loop {
        let line = match lines.next() {
            Ok(None) => return Ok(reader.finish()),
            Ok(Some(Line::Comment)) => reader.comment(&lines),
            Ok(Some(Line::Words)) => reader.words(lines.text(), lines.first()),
            Err(LineError::Io(fault)) => Err(fault.into()),
            Err(LineError::TooLong(limit)) => Err(Fault::TooLong(limit)),
        };
        line.map_err(|fault| ReadError { line: lines.first(), fault })?;
    }
}

struct Reader {
    tree: Tree,
    names: Names,
    values: Values,
    warnings: Warnings,
    /// The defaults from `/set`.
    defaults: Facts,
    links: Vec<(u64, EntryId)>,
    lists_xattrs: bool,
    trailer: Trailer,
    entries_read: u64,
}

impl Reader {
    fn new(options: &ReadOptions) -> Self {
        Self {
            tree: Tree::new(options),
            names: Names::new(),
            values: Values::default(),
            warnings: Warnings::default(),
            defaults: Facts::default(),
            links: Vec::new(),
            lists_xattrs: false,
            trailer: Trailer::Absent,
            entries_read: 0,
        }
    }

    fn finish(mut self) -> Reading {
        let mut manifest = self.tree.finish(self.links, &mut self.warnings);
        manifest.lists_xattrs = self.lists_xattrs;
        Reading {
            manifest,
            warnings: self.warnings.into_list(),
            trailer: self.trailer,
            maybe_flat: self.names.maybe_flat(),
        }
    }

    /// Parses comments that start with `#:`; they contain what mtree's format cannot express.
    fn comment(&mut self, lines: &Lines<impl BufRead>) -> Result<(), Fault> {
        self.warnings.line = lines.first();
        let text = lines.text();
        if lines.first() == 1 {
            self.names.first_comment(text);
        }
        let mut words = text.split(|byte| *byte == b' ');
        match words.next() {
            Some(b":hardlink") => match self.hard_link(words.next(), words.next()) {
                Some(member) => self.links.push(member),
                None => self.warnings.add(Warning::HardLink),
            },
            Some(b":xattr") => self.lists_xattrs = true,
            Some(b":end") => {
                let entries = format!("entries={}", self.entries_read);
                let sum = format!("sha256={}", hex(&lines.sum_above()));
                let said = (words.next(), words.next(), words.next());
                let right = said == (Some(entries.as_bytes()), Some(sum.as_bytes()), None)
                    && self.trailer == Trailer::Absent;
                self.trailer = if right { Trailer::Whole } else { Trailer::Broken };
            }
            _ => {}
        }
        Ok(())
    }

    fn hard_link(&self, group: Option<&[u8]>, path: Option<&[u8]>) -> Option<(u64, EntryId)> {
        let group = str::from_utf8(group?).ok()?.parse().ok()?;
        let id = self.tree.find(&components(path?).ok()?)?;
        (id != EntryId::ROOT).then_some((group, id))
    }

    fn words(&mut self, text: &[u8], line: u64) -> Result<(), Fault> {
        self.warnings.line = line;
        self.names.line(text);
        if self.trailer == Trailer::Whole {
            self.trailer = Trailer::Broken;
        }
        let mut words = split_words(text);
        match words.next() {
            None => Ok(()),
            Some(b"/set") => self.set(words),
            Some(b"/unset") => self.unset(words),
            Some(b"..") if !self.names.are_last() => {
                self.names.up(&self.tree, &mut self.warnings);
                Ok(())
            }
            Some(first) => {
                self.names.entry(first, words.clone());
                match words.clone().last() {
                    Some(path) if self.names.are_last() => {
                        let others = split_words(text).count() - 1;
                        self.entry(path, split_words(text).take(others))
                    }
                    _ => self.entry(first, words),
                }
            }
        }
    }

    fn set<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) -> Result<(), Fault> {
        let mut defaults = std::mem::take(&mut self.defaults);
        for word in words {
            let lasting = match keyword_of(word) {
                // Rejected, because each entry would get a copy that may be as long as a line.
                Some(Keyword::Link | Keyword::Xattr) => false,
                _ => word != b"all",
            };
            if !lasting {
                return Err(Fault::NotADefault(lossy(word)));
            }
            self.values.read(&mut defaults, word, &mut self.warnings)?;
        }
        self.defaults = defaults;
        Ok(())
    }

    fn unset<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) -> Result<(), Fault> {
        for word in words {
            if word == b"all" {
                self.defaults = Facts::default();
            } else if let Some(keyword) = Keyword::of_name(word) {
                self.defaults.forget(keyword);
            } else {
                self.values.unknown_keyword(word, &mut self.warnings);
            }
        }
        Ok(())
    }

    fn entry<'a>(
        &mut self,
        path: &[u8],
        words: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Fault> {
        let id = self.names.place(path, &mut self.tree, &mut self.warnings)?;
        let mut facts = self.defaults.clone();
        for word in words {
            self.values.read(&mut facts, word, &mut self.warnings)?;
        }
        self.tree.state(id, facts, &mut self.warnings)?;
        self.entries_read += 1;
        self.names.pass(path, id, &self.tree);
        Ok(())
    }
}
