//! Where the names of entries lead. How names are written differs from tool to tool, and shows only
//! as they are read.

use super::super::entry::EntryId;
use super::super::facts::Kind;
use super::fault::Fault;
use super::path::{components, has_slash};
use super::tree::Tree;
use super::warning::{Warning, Warnings};
use super::word::{keyword_of, lossy};

/// How names are written, as far as it is known, and the directories they may be in.
pub(super) struct Names {
    /// Where a name without a slash goes.
    current: EntryId,
    /// The directory of the last path with a slash, as written with the slash, and which it is.
    last: (Vec<u8>, EntryId),
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

impl Names {
    pub(super) fn new() -> Self {
        Self {
            current: EntryId::ROOT,
            last: (Vec::new(), EntryId::ROOT),
            signed: false,
            up: false,
            above: false,
            indented: false,
            nested: false,
            full: false,
            rooted: false,
            path_last: false,
            begun: false,
        }
    }

    /// Learns from a comment on the first line, which names the tool's dialect.
    pub(super) fn first_comment(&mut self, text: &[u8]) {
        if text.starts_with(b"mtree") {
            self.signed = true;
            self.rooted = text.starts_with(b"mtree v2");
        }
    }

    /// Learns from how a line begins.
    pub(super) fn line(&mut self, text: &[u8]) {
        self.indented |= matches!(text.first(), Some(b' ' | b'\t'));
    }

    /// Learns from the first entry whether the path is the last word.
    pub(super) fn entry<'a>(&mut self, first: &[u8], mut others: impl Iterator<Item = &'a [u8]>) {
        if !std::mem::replace(&mut self.begun, true) {
            self.path_last = keyword_of(first).is_some()
                && others.by_ref().last().is_some_and(|last| keyword_of(last).is_none());
        }
    }

    /// The path is the last word of each line, not the first.
    pub(super) fn are_last(&self) -> bool {
        self.path_last
    }

    /// The names were read as those of directories that come before them, and nothing tells whether
    /// they are meant as a list of what is in one directory.
    pub(super) fn maybe_flat(&self) -> bool {
        self.nested && !(self.up || self.full || self.indented)
    }

    /// Leaves the current directory.
    pub(super) fn up(&mut self, tree: &Tree, warnings: &mut Warnings) {
        self.up = true;
        if self.current == EntryId::ROOT {
            // One for the root itself is the habit of FreeBSD, go-mtree and libarchive.
            if std::mem::replace(&mut self.above, true) {
                warnings.add(Warning::AboveRoot);
            }
        }
        self.current = tree.parent(self.current);
    }

    /// Takes the directory in which the names after an entry are, once that entry has been read.
    pub(super) fn pass(&mut self, path: &[u8], id: EntryId, tree: &Tree) {
        let is_dir = tree.facts(id).kind == Some(Kind::Dir);
        let full = || has_slash(path) && path != b"./";
        if id == EntryId::ROOT {
            self.current = id;
        } else if !(self.rooted || self.path_last || self.signed && full()) {
            self.current = if is_dir { id } else { tree.parent(id) };
        }
    }

    /// The object that an entry's name means.
    pub(super) fn place(
        &mut self,
        path: &[u8],
        tree: &mut Tree,
        warnings: &mut Warnings,
    ) -> Result<EntryId, Fault> {
        // libarchive makes `/.` of an archive's member `./`.
        if matches!(path, b"." | b"./" | b"/." | b"/./") {
            return Ok(EntryId::ROOT);
        }
        if path.starts_with(b"/") {
            let command = !has_slash(&path[1..]);
            let text = lossy(path);
            return Err(if command { Fault::Command(text) } else { Fault::Outside(text) });
        }
        if let Some(id) = self.place_in_last(path, tree) {
            return id;
        }
        let full = has_slash(path);
        if full && !self.full {
            self.full = true;
            // With a signature a name without a slash is always one of the current directory.
            if !path.starts_with(b"./") && !self.up && !self.signed {
                self.root_all(tree, warnings)?;
            }
        }
        let from_root = full || self.rooted || self.path_last;
        let mut at = if from_root { EntryId::ROOT } else { self.current };
        self.nested |= at != EntryId::ROOT;
        let mut parent = at;
        for name in components(path)? {
            parent = at;
            at = tree.enter(at, &name)?;
        }
        if full && !path.contains(&b'\\') && !path.ends_with(b"/") {
            let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            self.last.0.clear();
            self.last.0.extend_from_slice(&path[..=slash]);
            self.last.1 = parent;
        }
        Ok(at)
    }

    /// Most paths are in the directory of the path before, which need not be looked up again.
    fn place_in_last(&self, path: &[u8], tree: &mut Tree) -> Option<Result<EntryId, Fault>> {
        let (directory, id) = &self.last;
        let name = path.strip_prefix(&directory[..]).filter(|_| !directory.is_empty())?;
        // What is refused by name is refused by the long way.
        let is_odd = memchr::memchr3(b'/', b'\\', 0, name).is_some();
        if is_odd || matches!(name, b"" | b"." | b"..") {
            return None;
        }
        Some(tree.enter(*id, name))
    }

    /// What was taken for children of a directory before is in the root after all.
    fn root_all(&mut self, tree: &mut Tree, warnings: &mut Warnings) -> Result<(), Fault> {
        self.rooted = true;
        self.last.0.clear();
        self.current = EntryId::ROOT;
        tree.flatten(warnings)
    }
}
