//! Resolves the paths of entries. Tools write them in different ways, which show only while the
//! manifest is being read.

use super::super::entry::EntryId;
use super::super::facts::Kind;
use super::fault::Fault;
use super::path::{components, has_slash};
use super::tree::Tree;
use super::warning::{Warning, Warnings};
use super::word::{keyword_of, lossy};

/// How paths are written, as far as is known, and the current directories.
pub(super) struct Names {
    /// The directory for a name without a slash.
    current: EntryId,
    /// The directory of the last path with a slash: as written, including the slash, and its entry.
    last: (Vec<u8>, EntryId),
    /// The first line was `#mtree`. Then, as in libarchive, a full path does not change the current
    /// directory. Without it, as in NetBSD's mtree, it does.
    signed: bool,
    /// There was a `..` line.
    up: bool,
    /// A `..` line left the root.
    above: bool,
    /// There was an indented line.
    indented: bool,
    /// A name was put into a directory only because that directory came before it.
    nested: bool,
    /// There was a path with a slash.
    full: bool,
    /// All paths start at the root, even those without a slash: go-mtree's `-C` and casync write
    /// `a/b`, and `a` for an object in the root.
    rooted: bool,
    /// The path is the last word of the line: `mtree -D`.
    path_last: bool,
    /// There was an entry.
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

    /// Reads a comment on the first line, which names the tool's dialect.
    pub(super) fn first_comment(&mut self, text: &[u8]) {
        if text.starts_with(b"mtree") {
            self.signed = true;
            self.rooted = text.starts_with(b"mtree v2");
        }
    }

    /// Notes whether a line is indented.
    pub(super) fn line(&mut self, text: &[u8]) {
        self.indented |= matches!(text.first(), Some(b' ' | b'\t'));
    }

    /// Notes from the first entry whether the path is the last word.
    pub(super) fn entry<'a>(&mut self, first: &[u8], mut others: impl Iterator<Item = &'a [u8]>) {
        if !std::mem::replace(&mut self.begun, true) {
            self.path_last = keyword_of(first).is_some()
                && others.by_ref().last().is_some_and(|last| keyword_of(last).is_none());
        }
    }

    /// True if the path is the last word of each line.
    pub(super) fn are_last(&self) -> bool {
        self.path_last
    }

    /// True if names were put into the directories before them, although they may be a flat list of
    /// one directory. Nothing in the manifest says which.
    pub(super) fn maybe_flat(&self) -> bool {
        self.nested && !(self.up || self.full || self.indented)
    }

    /// Handles a `..` line.
    pub(super) fn up(&mut self, tree: &Tree, warnings: &mut Warnings) {
        self.up = true;
        if self.current == EntryId::ROOT {
            // FreeBSD, go-mtree and libarchive write one `..` for the root itself.
            if std::mem::replace(&mut self.above, true) {
                warnings.add(Warning::AboveRoot);
            }
        }
        self.current = tree.parent(self.current);
    }

    /// Updates the current directory after an entry.
    pub(super) fn pass(&mut self, path: &[u8], id: EntryId, tree: &Tree) {
        let is_dir = tree.facts(id).kind == Some(Kind::Dir);
        let full = || has_slash(path) && path != b"./";
        if id == EntryId::ROOT {
            self.current = id;
        } else if !(self.rooted || self.path_last || self.signed && full()) {
            self.current = if is_dir { id } else { tree.parent(id) };
        }
    }

    /// The object of an entry's path.
    pub(super) fn place(
        &mut self,
        path: &[u8],
        tree: &mut Tree,
        warnings: &mut Warnings,
    ) -> Result<EntryId, Fault> {
        // libarchive writes `/.` for a member `./` of an archive.
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
            // With the `#mtree` signature, a name without a slash is always relative to the current
            // directory.
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

    /// Looks in the directory of the last path first, since most paths are there.
    fn place_in_last(&self, path: &[u8], tree: &mut Tree) -> Option<Result<EntryId, Fault>> {
        let (directory, id) = &self.last;
        let name = path.strip_prefix(&directory[..]).filter(|_| !directory.is_empty())?;
        // Leave unusual names to the full check, which reports them.
        let is_odd = memchr::memchr3(b'/', b'\\', 0, name).is_some();
        if is_odd || matches!(name, b"" | b"." | b"..") {
            return None;
        }
        Some(tree.enter(*id, name))
    }

    /// Moves to the root what was put into earlier directories.
    fn root_all(&mut self, tree: &mut Tree, warnings: &mut Warnings) -> Result<(), Fault> {
        self.rooted = true;
        self.last.0.clear();
        self.current = EntryId::ROOT;
        tree.flatten(warnings)
    }
}
