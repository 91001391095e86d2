//! Reading a manifest, in whichever dialect it is written.
//!
//! Manifests come from other nodes: whatever a line says, memory stays bounded by what was read
//! and by [`Limits`], no name leaves the tree, and an error names its line.

mod fault;
mod path;
#[cfg(test)]
mod tests;

pub use fault::{Fault, ReadError, Warning};

use std::collections::HashSet;
use std::io::BufRead;
use std::sync::Arc;

use super::digest::{Algorithm, hex};
use super::escape::{Escaped, unescape};
use super::facts::{Facts, Kind};
use super::keyword::Keyword;
use super::line::{Line, LineError, Lines};
use super::manifest::{Builder, EntryId, MOST_ENTRIES, Manifest};
use super::value::{self, ValueError};
use path::{components, has_slash};

/// What a manifest may cost us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a line, continuations joined.
    pub line: usize,
    /// Objects.
    pub entries: usize,
    /// Directories within each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 1 << 20, entries: 100_000_000, depth: 10_000 }
    }
}

/// How a manifest is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// What it may cost.
    pub limits: Limits,
    /// Entries for one path may differ in type; the last wins.
    pub merge: bool,
}

/// How many warnings are kept.
const MOST_WARNINGS: usize = 1000;

/// Whether a manifest says that it is all there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trailer {
    /// It does not say.
    Absent,
    /// It does, and it is.
    Whole,
    /// It does, and something is missing, added or changed.
    Broken,
}

/// A manifest, and how it was to read.
#[derive(Debug)]
pub struct Reading {
    /// The manifest.
    pub manifest: Manifest,
    /// What was odd, by line; no more than a thousand.
    pub warnings: Vec<(u64, Warning)>,
    /// Whether it is all there.
    pub trailer: Trailer,
    /// It was read as names in directories that come before them, and may be meant as a list of
    /// what is in one directory: nothing in it tells.
    pub maybe_flat: bool,
}

/// Reads a manifest.
///
/// # Errors
/// The line that makes no sense, or goes beyond the limits, or could not be read.
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
    options: ReadOptions,
    builder: Builder,
    defaults: Facts,
    layout: Layout,
    /// Where a name without a slash goes.
    current: EntryId,
    /// The directory of the last path with a slash, as written with the slash, and which it is.
    beside: (Vec<u8>, EntryId),
    depths: Vec<u16>,
    /// Whether something is in it, of each object.
    holds: Vec<bool>,
    line: u64,
    warnings: Vec<(u64, Warning)>,
    unknown: HashSet<Box<[u8]>>,
    shared: HashSet<Arc<[u8]>>,
    links: Vec<(u64, EntryId)>,
    lists_xattrs: bool,
    trailer: Trailer,
    entries_read: u64,
}

/// What is known so far of how names are written.
#[derive(Default)]
struct Layout {
    /// The first line was `#mtree`. Then a full path leaves the current directory alone, as in
    /// libarchive; else it becomes the current directory, as in NetBSD's mtree.
    signed: bool,
    /// A `..` line was there.
    up: bool,
    /// One of them left the root.
    above: bool,
    /// A line was indented.
    indented: bool,
    /// A name was taken for one in a directory because that directory came before it.
    nested: bool,
    /// A path with a slash was there.
    full: bool,
    /// Every name is a path from the root, also those without a slash: go-mtree's `-C` and casync
    /// write `a/b`, and `a` for what is in the root.
    rooted: bool,
    /// The path is the last word of the line: `mtree -D`.
    path_last: bool,
    /// An entry was there.
    begun: bool,
}

impl Reader {
    fn new(options: &ReadOptions) -> Self {
        Self {
            options: *options,
            builder: Builder::default(),
            defaults: Facts::default(),
            layout: Layout::default(),
            current: EntryId::ROOT,
            beside: (Vec::new(), EntryId::ROOT),
            depths: vec![0],
            holds: vec![false],
            line: 0,
            warnings: Vec::new(),
            unknown: HashSet::new(),
            shared: HashSet::new(),
            links: Vec::new(),
            lists_xattrs: false,
            trailer: Trailer::Absent,
            entries_read: 0,
        }
    }

    fn finish(mut self) -> Reading {
        if self.builder.entry(EntryId::ROOT).facts.kind.is_none() {
            self.holds[0] = true;
        }
        for index in 0..self.holds.len() {
            if self.holds[index] {
                self.make_directory(EntryId::of_index(index));
            }
        }
        let mut manifest = self.builder.finish(self.links);
        manifest.lists_xattrs = self.lists_xattrs;
        let Layout { nested, up, full, indented, .. } = self.layout;
        let maybe_flat = nested && !(up || full || indented);
        Reading { manifest, warnings: self.warnings, trailer: self.trailer, maybe_flat }
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push((self.line, warning));
        }
    }

    /// Comments carry what the format cannot say, in lines that start with `#:`.
    fn comment(&mut self, lines: &Lines<impl BufRead>) -> Result<(), Fault> {
        self.line = lines.first();
        let text = lines.text();
        if self.line == 1 && text.starts_with(b"mtree") {
            self.layout.signed = true;
            self.layout.rooted = text.starts_with(b"mtree v2");
        }
        let mut words = text.split(|byte| *byte == b' ');
        match words.next() {
            Some(b":hardlink") => match self.hard_link(words.next(), words.next()) {
                Some(member) => self.links.push(member),
                None => self.warn(Warning::HardLink),
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
        let mut at = EntryId::ROOT;
        for name in components(path?).ok()? {
            at = self.builder.find(at, &name)?;
        }
        (at != EntryId::ROOT).then_some((group, at))
    }

    fn words(&mut self, text: &[u8], line: u64) -> Result<(), Fault> {
        self.line = line;
        self.layout.indented |= matches!(text.first(), Some(b' ' | b'\t'));
        if self.trailer == Trailer::Whole {
            self.trailer = Trailer::Broken;
        }
        let mut words = split_words(text);
        match words.next() {
            None => Ok(()),
            Some(b"/set") => self.set(words),
            Some(b"/unset") => self.unset(words),
            Some(b"..") if !self.layout.path_last => self.up(),
            Some(first) => {
                if !self.layout.begun {
                    self.layout.begun = true;
                    self.layout.path_last = keyword_of(first).is_some()
                        && words.clone().last().is_some_and(|last| keyword_of(last).is_none());
                }
                match words.clone().last() {
                    Some(path) if self.layout.path_last => {
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
                // Each entry would carry a copy, of a line's length.
                Some(Keyword::Link | Keyword::Xattr) => false,
                _ => word != b"all",
            };
            if !lasting {
                return Err(Fault::NotADefault(lossy(word)));
            }
            self.keyword(&mut defaults, word)?;
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
                self.unknown_keyword(word);
            }
        }
        Ok(())
    }

    fn up(&mut self) -> Result<(), Fault> {
        self.layout.up = true;
        if self.current == EntryId::ROOT {
            // One for the root itself is the habit of FreeBSD, go-mtree and libarchive.
            if std::mem::replace(&mut self.layout.above, true) {
                self.warn(Warning::AboveRoot);
            }
        }
        self.current = self.builder.entry(self.current).parent();
        Ok(())
    }

    fn entry<'a>(
        &mut self,
        path: &[u8],
        words: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Fault> {
        let id = self.place(path)?;
        let mut facts = self.defaults.clone();
        for word in words {
            self.keyword(&mut facts, word)?;
        }
        self.state(id, facts)?;
        self.entries_read += 1;
        let is_dir = self.builder.entry(id).facts.kind == Some(Kind::Dir);
        let full = || has_slash(path) && path != b"./";
        if id == EntryId::ROOT {
            self.current = id;
        } else if !(self.layout.rooted || self.layout.path_last || self.layout.signed && full()) {
            self.current = if is_dir { id } else { self.builder.entry(id).parent() };
        }
        Ok(())
    }

    /// The object that an entry's name means.
    fn place(&mut self, path: &[u8]) -> Result<EntryId, Fault> {
        // libarchive makes `/.` of an archive's member `./`.
        if matches!(path, b"." | b"./" | b"/." | b"/./") {
            return Ok(EntryId::ROOT);
        }
        if path.starts_with(b"/") {
            let command = !has_slash(&path[1..]);
            let text = lossy(path);
            return Err(if command { Fault::Command(text) } else { Fault::Outside(text) });
        }
        if let Some(id) = self.place_beside(path) {
            return id;
        }
        let full = has_slash(path);
        if full && !self.layout.full {
            self.layout.full = true;
            // With a signature a name without a slash is always one of the current directory.
            if !path.starts_with(b"./") && !self.layout.up && !self.layout.signed {
                self.root_all()?;
            }
        }
        let from_root = full || self.layout.rooted || self.layout.path_last;
        let mut at = if from_root { EntryId::ROOT } else { self.current };
        self.layout.nested |= at != EntryId::ROOT;
        let mut parent = at;
        for name in components(path)? {
            parent = at;
            at = self.enter(at, &name)?;
        }
        if full && !path.contains(&b'\\') && !path.ends_with(b"/") {
            let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            self.beside.0.clear();
            self.beside.0.extend_from_slice(&path[..=slash]);
            self.beside.1 = parent;
        }
        Ok(at)
    }

    /// Most paths are in the directory of the path before, which need not be looked up again.
    fn place_beside(&mut self, path: &[u8]) -> Option<Result<EntryId, Fault>> {
        let (directory, id) = &self.beside;
        let name = path.strip_prefix(&directory[..]).filter(|_| !directory.is_empty())?;
        // What is refused by name is refused by the long way.
        let is_odd = memchr::memchr3(b'/', b'\\', 0, name).is_some();
        if is_odd || matches!(name, b"" | b"." | b"..") {
            return None;
        }
        let id = *id;
        Some(self.enter(id, name))
    }

    /// What was taken for children of a directory before is in the root after all.
    fn root_all(&mut self) -> Result<(), Fault> {
        self.layout.rooted = true;
        self.beside.0.clear();
        let old = std::mem::take(&mut self.builder).finish(Vec::new());
        self.depths = vec![0];
        self.holds = vec![false];
        self.current = EntryId::ROOT;
        for id in old.ids() {
            let entry = old.entry(id);
            let new = match id {
                EntryId::ROOT => EntryId::ROOT,
                _ => self.enter(EntryId::ROOT, entry.name())?,
            };
            if entry.stated {
                self.state(new, entry.facts.clone())?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, parent: EntryId, name: &[u8]) -> Result<EntryId, Fault> {
        let above = &self.builder.entry(parent).facts;
        if above.kind.is_some_and(|kind| kind != Kind::Dir) {
            return Err(Fault::NotADirectory(self.written(parent)));
        }
        let id = self.builder.enter(parent, name);
        if id.index() == self.depths.len() {
            let Limits { entries, depth, .. } = self.options.limits;
            if self.builder.len() > entries.min(MOST_ENTRIES) {
                return Err(Fault::TooMany(entries));
            }
            let deep = usize::from(self.depths[parent.index()]) + 1;
            let kept = u16::try_from(deep).ok().filter(|_| deep <= depth);
            self.depths.push(kept.ok_or(Fault::TooDeep(depth))?);
            self.holds.push(false);
            self.holds[parent.index()] = true;
        }
        Ok(id)
    }

    /// What holds something is a directory, as is the root, whether its entry says so or leaves the
    /// type out.
    fn make_directory(&mut self, id: EntryId) {
        if self.builder.entry(id).stated {
            let mut facts = std::mem::take(&mut self.builder.entry_mut(id).facts);
            facts.kind = Some(Kind::Dir);
            self.digests_of_files(id, &mut facts);
            self.builder.entry_mut(id).facts = facts;
        }
    }

    /// Only files have digests.
    fn digests_of_files(&mut self, id: EntryId, facts: &mut Facts) {
        if facts.kind.is_some_and(|kind| kind != Kind::File) && !facts.digests.is_empty() {
            for algorithm in Algorithm::ALL {
                facts.digests.remove(algorithm);
            }
            let path = self.written(id);
            self.warn(Warning::DigestOfNoFile(path));
        }
    }

    /// Enters what an entry says. Of two for one object the last counts.
    fn state(&mut self, id: EntryId, mut facts: Facts) -> Result<(), Fault> {
        self.digests_of_files(id, &mut facts);
        let entry = self.builder.entry(id);
        if self.holds[id.index()] && facts.kind.is_some_and(|kind| kind != Kind::Dir) {
            return Err(Fault::NotADirectory(self.written(id)));
        }
        if entry.stated {
            let path = self.written(id);
            if let (Some(was), Some(is)) = (entry.facts.kind, facts.kind)
                && was != is
                && !self.options.merge
            {
                return Err(Fault::Contradiction { path, was: was.name(), is: is.name() });
            }
            self.warn(Warning::Twice(path));
        }
        let entry = self.builder.entry_mut(id);
        entry.stated = true;
        entry.facts = facts;
        Ok(())
    }

    fn keyword(&mut self, facts: &mut Facts, word: &[u8]) -> Result<(), Fault> {
        let (name, text) = split_keyword(word);
        let keyword = match word.starts_with(b"xattr.") {
            true => Some(Keyword::Xattr),
            false => Keyword::of_name(name),
        };
        let Some(keyword) = keyword else {
            self.unknown_keyword(name);
            return Ok(());
        };
        let allowed = value::allowed(keyword);
        let fault = |fault| Fault::Value { word: lossy(word), fault, allowed };
        if let Some(xattr) = word.strip_prefix(b"xattr.") {
            return value::read_xattr(facts, xattr).map_err(fault);
        }
        let text = match text {
            Some(text) => text,
            None if keyword.is_bare() => b"",
            None => return Err(fault(ValueError::Missing)),
        };
        match keyword {
            Keyword::Uname => facts.rare_mut().uname = Some(self.share(text).map_err(fault)?),
            Keyword::Gname => facts.rare_mut().gname = Some(self.share(text).map_err(fault)?),
            Keyword::Flags => facts.rare_mut().flags = Some(self.share(text).map_err(fault)?),
            Keyword::Tags => facts.rare_mut().tags = Some(self.share(text).map_err(fault)?),
            Keyword::Content => self.warn(Warning::Contents),
            Keyword::Xattr | Keyword::Acl => self.unknown_keyword(name),
            _ => value::read(facts, keyword, text).map_err(fault)?,
        }
        Ok(())
    }

    /// One copy of a name that many entries have.
    fn share(&mut self, text: &[u8]) -> Result<Arc<[u8]>, ValueError> {
        let name = unescape(text).map_err(|_| ValueError::Malformed)?;
        if let Some(known) = self.shared.get(&name[..]) {
            return Ok(Arc::clone(known));
        }
        let name: Arc<[u8]> = name.into();
        self.shared.insert(Arc::clone(&name));
        Ok(name)
    }

    fn unknown_keyword(&mut self, name: &[u8]) {
        if self.unknown.len() < MOST_WARNINGS && self.unknown.insert(Box::from(name)) {
            self.warn(Warning::UnknownKeyword(lossy(name)));
        }
    }

    fn written(&self, id: EntryId) -> String {
        let mut names = Vec::new();
        let mut at = id;
        while at != EntryId::ROOT {
            names.push(Escaped(self.builder.entry(at).name()).to_string());
            at = self.builder.entry(at).parent();
        }
        names.push(".".to_owned());
        names.reverse();
        names.join("/")
    }
}

/// Splits at blanks. No escape holds one.
fn split_words(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

fn split_keyword(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|byte| *byte == b'=') {
        Some(split) => (&word[..split], Some(&word[split + 1..])),
        None => (word, None),
    }
}

fn keyword_of(word: &[u8]) -> Option<Keyword> {
    if word.starts_with(b"xattr.") {
        return Some(Keyword::Xattr);
    }
    let (name, text) = split_keyword(word);
    Keyword::of_name(name).filter(|keyword| text.is_some() || keyword.is_bare())
}

/// Text of a manifest for a message: no control characters, no more than a line.
fn lossy(text: &[u8]) -> String {
    let shown = Escaped(&text[..text.len().min(200)]).to_string();
    // What was escaped already is not escaped again.
    shown.replace("\\\\", "\\")
}
