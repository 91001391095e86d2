//! Reading a manifest, in whichever dialect it is written.
//!
//! Manifests come from other nodes: whatever a line says, memory stays bounded by what was read
//! and by [`Limits`], no name leaves the tree, and an error names its line.

use std::collections::HashSet;
use std::io::{self, BufRead};
use std::sync::Arc;

use super::digest::{Algorithm, hex};
use super::escape::{EscapeError, token_length, unescape, unescape_component};
use super::facts::{Facts, Kind};
use super::keyword::Keyword;
use super::line::{Line, LineError, Lines};
use super::manifest::{Builder, EntryId, MOST_ENTRIES, Manifest};
use super::value::{self, ValueError};

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

/// Why a manifest cannot be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct ReadError {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The manifest's file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Longer than allowed.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// More objects than allowed.
    #[error("more than {0} entries")]
    TooMany(usize),
    /// More directories within each other than allowed.
    #[error("more than {0} directories deep")]
    TooDeep(usize),
    /// A name that cannot be read.
    #[error("name {name}: {fault}")]
    Escape {
        /// As written.
        name: String,
        /// What is wrong with it.
        fault: EscapeError,
    },
    /// `..` within a path, an absolute path, an empty name.
    #[error("{0} would leave the tree or names nothing in it")]
    Outside(String),
    /// A word such as `/include`.
    #[error("{0} is no command of mtree")]
    Command(String),
    /// `/set all`, `/set link=…`: what cannot be every object's.
    #[error("{0} cannot be set for all that follows")]
    NotADefault(String),
    /// A keyword with a value that it cannot have.
    #[error("{keyword}: {fault}")]
    Value {
        /// As written.
        keyword: String,
        /// What is wrong with its value.
        fault: ValueError,
    },
    /// Two entries that cannot both be true.
    #[error("{path} was a {was} above and is a {is} here")]
    Contradiction {
        /// The object, as a manifest writes it.
        path: String,
        /// What it was.
        was: &'static str,
        /// What it is here.
        is: &'static str,
    },
    /// Something below what is not a directory.
    #[error("{0} is not a directory, and has something below it")]
    NotADirectory(String),
}

/// What was odd about a manifest that could be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Warning {
    /// Nobody checks this keyword.
    #[error("keyword {0} is not known and not checked")]
    UnknownKeyword(String),
    /// The last entry counts.
    #[error("{0} is there twice; the last entry counts")]
    Twice(String),
    /// More `..` than directories.
    #[error("a .. above the root")]
    AboveRoot,
    /// Only a file has content.
    #[error("{0} is not a file and has a digest, which is not checked")]
    DigestOfNoFile(String),
    /// libarchive's `contents`: the file to take data from.
    #[error("contents= names another file, which is never opened")]
    Contents,
    /// A `#:hardlink` comment that makes no sense.
    #[error("a #:hardlink line that names nothing in the manifest")]
    HardLink,
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

    fn finish(self) -> Reading {
        let mut manifest = self.builder.finish(self.links);
        manifest.lists_xattrs = self.lists_xattrs;
        Reading { manifest, warnings: self.warnings, trailer: self.trailer }
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
            // One more than there are directories is libarchive's habit.
            self.warn(Warning::AboveRoot);
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
            if !path.starts_with(b"./") && !self.layout.up {
                self.root_all()?;
            }
        }
        let from_root = full || self.layout.rooted || self.layout.path_last;
        let mut at = if from_root { EntryId::ROOT } else { self.current };
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
        }
        Ok(id)
    }

    /// Enters what an entry says. Of two for one object the last counts.
    fn state(&mut self, id: EntryId, mut facts: Facts) -> Result<(), Fault> {
        if facts.kind.is_some_and(|kind| kind != Kind::File) && !facts.digests.is_empty() {
            for algorithm in Algorithm::ALL {
                facts.digests.remove(algorithm);
            }
            let path = self.written(id);
            self.warn(Warning::DigestOfNoFile(path));
        }
        let entry = self.builder.entry(id);
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
        let fault = |fault| Fault::Value { keyword: lossy(name), fault };
        if let Some(xattr) = word.strip_prefix(b"xattr.") {
            return value::read_xattr(facts, xattr).map_err(fault);
        }
        let Some(keyword) = Keyword::of_name(name) else {
            self.unknown_keyword(name);
            return Ok(());
        };
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
            names.push(super::escape::Escaped(self.builder.entry(at).name()).to_string());
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

/// Pieces between slashes that are not part of an escape: NetBSD's mtree writes 0xaf as `\M-/`.
fn pieces(path: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while at < path.len() {
        let length = token_length(&path[at..]).max(1);
        if path[at] == b'/' {
            pieces.push(&path[start..at]);
            start = at + 1;
        }
        at += length;
    }
    pieces.push(&path[start..]);
    pieces
}

fn has_slash(path: &[u8]) -> bool {
    path.contains(&b'/') && (!path.contains(&b'\\') || pieces(path).len() > 1)
}

/// The names of a path. One `.` at its start and empty ones within are nothing.
fn components(path: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut names = Vec::new();
    for (nth, piece) in pieces(path).into_iter().enumerate() {
        if piece.is_empty() && nth > 0 || nth == 0 && piece == b"." {
            continue;
        }
        let name = unescape_component(piece)
            .map_err(|fault| Fault::Escape { name: lossy(piece), fault })?;
        if name.is_empty() || name == b"." || name == b".." {
            return Err(Fault::Outside(lossy(path)));
        }
        names.push(name);
    }
    Ok(names)
}

/// Text of a manifest for a message: no control characters, no more than a line.
fn lossy(text: &[u8]) -> String {
    let shown = super::escape::Escaped(&text[..text.len().min(200)]).to_string();
    // What was escaped already is not escaped again.
    shown.replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtree::{WriteOptions, write};

    fn read_text(text: &[u8]) -> Result<Reading, ReadError> {
        read(text, &ReadOptions::default())
    }

    /// What we write of what we read, without the signature and the trailer.
    fn entries(text: &str) -> String {
        let reading = read_text(text.as_bytes()).unwrap();
        let mut written = Vec::new();
        write(&reading.manifest, &WriteOptions::default(), &mut written).unwrap();
        let written = String::from_utf8(written).unwrap();
        let lines = written.lines().filter(|line| !line.starts_with("#mtree"));
        lines.filter(|line| !line.starts_with("#:end")).map(|line| format!("{line}\n")).collect()
    }

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(entries(text), want);
    }

    #[track_caller]
    fn refused(text: impl AsRef<[u8]>, line: u64, message: &str) {
        let error = read_text(text.as_ref()).unwrap_err();
        assert_eq!((error.line, error.fault.to_string().as_str()), (line, message));
    }

    #[test]
    fn netbsds_own_layout_with_its_escapes_and_wraps() {
        check(
            "# .\n\
             /set type=file uid=1000 mode=0644 nlink=1 flags=none\n\
             .               type=dir mode=0755\n    \
                 S\\M-C\\M-#o  size=1 \\\n               time=7.5\n    \
                 there       type=link link=\\M-C\\M^\\\n\
             # ./sub\n\
             sub             type=dir\n    \
                 a\\sb        size=2\n\
             # ./sub\n..\n",
            ". type=dir uid=1000 mode=0755 flags=none\n\
             ./S\\303\\243o type=file uid=1000 mode=0644 nlink=1 size=1 time=7.000000005 flags=none\n\
             ./sub type=dir uid=1000 mode=0644 flags=none\n\
             ./sub/a\\040b type=file uid=1000 mode=0644 nlink=1 size=2 flags=none\n\
             ./there type=link uid=1000 mode=0644 nlink=1 link=\\303\\234 flags=none\n",
        );
    }

    #[test]
    fn full_paths_of_libarchive_go_mtree_and_casync() {
        let want = ". type=dir\n./b type=dir\n./b/c type=file\n./d type=dir\n./e type=file\n";
        check(
            "#mtree\n. type=dir\n./b type=dir\n./b/c type=file\n./d type=dir\n./e type=file\n",
            want,
        );
        check(". type=dir\nd type=dir\nb type=dir\nb/c type=file\ne type=file\n", want);
        check("b/c type=file\n./e type=file\nd type=dir\n", want);
    }

    #[test]
    fn the_path_may_be_the_last_word() {
        check(
            "type=dir .\ntype=file size=1 ./a\\040b\ntype=dir ./d\ntype=file ./d/x\n",
            ". type=dir\n./a\\040b type=file size=1\n./d type=dir\n./d/x type=file\n",
        );
    }

    #[test]
    fn mixed_layouts_are_read_as_netbsd_does_and_with_a_signature_as_libarchive() {
        let text = ". type=dir\nsub type=dir\n..\n./sub/y type=file\nq type=file\n";
        check(text, ". type=dir\n./sub type=dir\n./sub/q type=file\n./sub/y type=file\n");
        let text = format!("#mtree\n{text}");
        check(&text, ". type=dir\n./q type=file\n./sub type=dir\n./sub/y type=file\n");
    }

    #[test]
    fn every_digests_spelling_and_case() {
        let md5 = "0x0123456789ABCDEF0123456789abcdef";
        check(
            &format!(". type=dir\na md5={md5} rmd160={}\n", "ab".repeat(20)),
            &format!(
                ". type=dir\n./a md5digest={} rmd160digest={}\n",
                md5[2..].to_lowercase(),
                "ab".repeat(20)
            ),
        );
    }

    #[test]
    fn defaults_are_added_to_and_taken_away() {
        check(
            "/set uid=1 gid=2\n/set gid=3 optional\n. type=dir\n/unset uid optional\na\n/unset all\nb gid=9\n",
            ". type=dir uid=1 gid=3 optional\n./a gid=3\n./b gid=9\n",
        );
    }

    #[test]
    fn paths_beside_each_other_and_elsewhere() {
        check(
            "#mtree\n. type=dir\n./d type=dir\n./d/a uid=1\n./d/b uid=2\n./d/e/f uid=3\n./d/c uid=4\n\
             ./d//g uid=5\n./d//h uid=6\n./d/\\056x uid=7\n./d/y uid=8\n./z/ type=dir\n./z/y uid=9\n",
            ". type=dir\n./d type=dir\n./d/.x uid=7\n./d/a uid=1\n./d/b uid=2\n./d/c uid=4\n\
             ./d/e type=dir\n./d/e/f uid=3\n./d/g uid=5\n./d/h uid=6\n./d/y uid=8\n\
             ./z type=dir\n./z/y uid=9\n",
        );
        for name in ["..", ".", "../x"] {
            let text = format!("#mtree\n. type=dir\n./d/a type=file\n./d/{name} type=dir\n");
            let error = read_text(text.as_bytes()).unwrap_err();
            assert!(matches!((error.line, error.fault), (4, Fault::Outside(_))), "{name}");
        }
        refused(
            "./d/a type=file\n./d type=file\n./d/b type=file\n",
            3,
            "./d is not a directory, and has something below it",
        );
    }

    /// They are what the tools themselves wrote.
    #[test]
    fn the_seeds_of_the_fuzzer_are_read() {
        let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/mtree_read");
        for seed in std::fs::read_dir(seeds).unwrap() {
            let path = seed.unwrap().path();
            let text = std::fs::read(&path).unwrap();
            assert!(read_text(&text).unwrap().manifest.len() > 3, "{}", path.display());
        }
    }

    #[test]
    fn comments_carriage_returns_and_a_last_line_without_end() {
        check(
            "#mtree\r\n. type=dir # a comment \\\r\n\r\n./a#b type=file link=x#y",
            ". type=dir\n./a\\043b type=file link=x\\043y\n",
        );
    }

    #[test]
    fn what_is_odd_is_warned_about_with_its_line() {
        let text = ". type=dir\na type=file colour=red\na type=file size=1\n..\nf type=fifo md5=00000000000000000000000000000000 colour=blue\nx contents=/etc/passwd\n#:hardlink 1 ./nothing\n";
        let warnings = read_text(text.as_bytes()).unwrap().warnings;
        let want = [
            (2, Warning::UnknownKeyword("colour".into())),
            (3, Warning::Twice("./a".into())),
            (4, Warning::AboveRoot),
            (5, Warning::DigestOfNoFile("./f".into())),
            (6, Warning::Contents),
            (7, Warning::HardLink),
        ];
        assert_eq!(warnings, want);
    }

    #[test]
    fn a_name_with_nul_is_refused_also_beside_another() {
        refused(
            b". type=dir\n./a type=file\n./f\0oo type=file\n",
            3,
            "name f\\000oo: an escape for NUL",
        );
    }

    #[test]
    fn names_that_leave_the_tree_are_refused() {
        for name in
            ["./a/../b", "../b", "a/..", "./\\056\\056", "\\056\\056/x", "./a/./b", "./a/\\056"]
        {
            let error = read_text(format!(". type=dir\n{name} type=dir\n").as_bytes()).unwrap_err();
            assert!(matches!((error.line, error.fault), (2, Fault::Outside(_))), "{name}");
        }
        refused(
            ". type=dir\n/etc/passwd type=file\n",
            2,
            "/etc/passwd would leave the tree or names nothing in it",
        );
        refused("a\\057b type=file\n", 1, "name a\\057b: an escape for a slash");
        refused("a\\000b type=file\n", 1, "name a\\000b: an escape for NUL");
        refused("/include x\n", 1, "/include is no command of mtree");
    }

    #[test]
    fn faults_name_line_and_keyword() {
        refused("\n. type=TABLE\n", 2, "type: not a value it can have");
        refused(". type=dir uid=4294967296\n", 1, "uid: out of range");
        refused(". type=dir \\\nmode=9\n", 1, "mode: not a value it can have");
        refused(". type\n", 1, "type: it needs a value");
        refused("/set all\n", 1, "all cannot be set for all that follows");
        refused("/set link=x\n", 1, "link=x cannot be set for all that follows");
        refused(
            ". type=dir\na type=file\na type=dir\n",
            3,
            "./a was a file above and is a dir here",
        );
        refused(
            ". type=dir\n./a type=file\n./a/b type=file\n",
            3,
            "./a is not a directory, and has something below it",
        );
        refused(". sha256=00\n", 1, "sha256: not a value it can have");
    }

    #[test]
    fn hostile_sizes_are_bounded() {
        let limits = Limits { line: 1000, entries: 10, depth: 5 };
        let options = ReadOptions { limits, merge: false };
        let check = |text: Vec<u8>, want: &str| {
            assert_eq!(read(&text[..], &options).unwrap_err().fault.to_string(), want);
        };
        check(b"a".repeat(5000), "longer than 1000 bytes");
        let endless = io::BufReader::new(io::Read::take(io::repeat(b'a'), u64::MAX));
        assert!(matches!(read(endless, &options).unwrap_err().fault, Fault::TooLong(1000)));
        check(b"a\\\n".repeat(5000), "longer than 1000 bytes");
        check(
            (0..100).map(|n| format!("./{n} type=file\n")).collect::<String>().into(),
            "more than 10 entries",
        );
        check(b"d type=dir\n".repeat(100), "more than 5 directories deep");
        check(b"./a/a/a/a/a/a type=file\n".to_vec(), "more than 5 directories deep");
        let many =
            [&b"/set uid=1 uname=root mode=0644\n".repeat(100_000)[..], b". type=dir\n"].concat();
        assert_eq!(read(&many[..], &options).unwrap().manifest.len(), 1);
    }

    #[test]
    fn the_trailer_tells_whether_all_is_there() {
        let manifest = read_text(b". type=dir\n./a type=file\n").unwrap().manifest;
        let mut text = Vec::new();
        write(&manifest, &WriteOptions::default(), &mut text).unwrap();
        let trailer = |text: &[u8]| read_text(text).unwrap().trailer;
        assert_eq!(trailer(&text), Trailer::Whole);
        assert_eq!(trailer(&[&text[..], b"./b type=file\n"].concat()), Trailer::Broken);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(trailer(text.replace("./a", "./b").as_bytes()), Trailer::Broken);
        assert_eq!(trailer(text.replace("./a type=file\n", "").as_bytes()), Trailer::Broken);
        assert_eq!(trailer(b". type=dir\n"), Trailer::Absent);
    }

    #[test]
    fn names_of_one_inode_are_kept() {
        let text = ". type=dir\n./a type=file\n./b\\040 type=file\n#:hardlink 1 ./a\n#:hardlink 1 ./b\\040\n";
        check(text, text);
    }
}
