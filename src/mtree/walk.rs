//! Walking a tree on all cores, directory by directory, without following a link.
//!
//! A directory is opened by its path below the root when its turn comes, so neither the depth of
//! the tree nor the number of directories waiting is bounded by the number of open files.

use super::entry::EntryId;
use super::exclude::Excludes;
use crate::disk::beneath::{open_dir, replaced, same};
use rayon::Scope;
use rustix::fs::{FileType, RawDir, Stat};
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// How many objects of one directory are looked at in one go.
const BATCH: usize = 256;

/// What is walked.
pub(super) struct Walk<'a> {
    pub(super) root: &'a OwnedFd,
    pub(super) one_file_system: bool,
    pub(super) excludes: &'a Excludes,
}

/// A directory being walked.
pub(super) struct Dir {
    pub(super) fd: OwnedFd,
    pub(super) id: EntryId,
    /// From the root: `a/b`; nothing for the root.
    pub(super) path: Vec<u8>,
    device: u64,
    listing: Listing,
}

impl Dir {
    /// The path of an object in it.
    pub(super) fn join(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [&self.path, &b"/"[..], name].concat() }
    }
}

/// A name in a directory.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) bytes: &'a [u8],
    /// What the directory says it is. Nothing was looked at for that, and some directories do not
    /// say.
    pub(super) kind: FileType,
}

/// The names in a directory. There may be millions: none has an allocation of its own.
#[derive(Default)]
struct Listing {
    text: Vec<u8>,
    names: Vec<Listed>,
}

struct Listed {
    start: usize,
    length: u16,
    kind: FileType,
}

/// What is done with the objects of a tree, on several threads at a time.
pub(super) trait Visitor: Sync {
    /// Looks at objects of a directory, which are in the order of their names.
    fn visit(&self, dir: &Dir, names: &[Name<'_>]) -> Visited;

    /// All that is in the directory `id` could not be looked at.
    fn unread(&self, id: EntryId, path: Vec<u8>, error: io::Error);
}

/// What is still to be done after a visit.
#[derive(Default)]
pub(super) struct Visited {
    /// Directories to go into.
    pub(super) dirs: Vec<Task>,
    /// Files so large that each is to be visited by itself: then several are hashed at a time. By
    /// their place among the names.
    pub(super) large: Vec<usize>,
}

/// A directory that waits for its turn.
pub(super) struct Task {
    pub(super) id: EntryId,
    /// From the root: `a/b`; nothing for the root.
    pub(super) path: Vec<u8>,
    /// What it was when it was found.
    pub(super) seen: Stat,
}

/// Visits everything below the root, whose own stat is given.
pub(super) fn walk<V: Visitor>(walk: &Walk<'_>, root: Stat, visitor: &V) {
    let task = Task { id: EntryId::ROOT, path: Vec::new(), seen: root };
    rayon::scope(|scope| enter(scope, walk, visitor, task));
}

fn enter<'s, V: Visitor>(scope: &Scope<'s>, walk: &'s Walk<'_>, visitor: &'s V, task: Task) {
    let id = task.id;
    let path = task.path.clone();
    match open(walk, task) {
        Ok(dir) => spread(scope, walk, visitor, dir),
        Err(error) => visitor.unread(id, path, error),
    }
}

/// Opens a directory and lists it.
fn open(walk: &Walk<'_>, task: Task) -> io::Result<Dir> {
    let fd = open_dir(walk.root, &task.path)?;
    let now = rustix::fs::fstat(&fd)?;
    if !same(&now, &task.seen) {
        return Err(replaced());
    }
    let mut listing = Listing::read(&fd)?;
    listing.leave_out(|name| walk.excludes.matches(&task.path, name));
    listing.sort();
    Ok(Dir { fd, id: task.id, path: task.path, device: now.st_dev, listing })
}

impl Listing {
    fn read(fd: &OwnedFd) -> io::Result<Self> {
        let mut listing = Self::default();
        let mut buffer = [MaybeUninit::uninit(); 64 * 1024];
        let mut entries = RawDir::new(fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            if bytes != b"." && bytes != b".." {
                let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
                let (start, kind) = (listing.text.len(), entry.file_type());
                listing.names.push(Listed { start, length, kind });
                listing.text.extend_from_slice(bytes);
            }
        }
        Ok(listing)
    }

    fn leave_out(&mut self, is_left_out: impl Fn(&[u8]) -> bool) {
        let text = &self.text;
        self.names.retain(|listed| !is_left_out(listed.bytes(text)));
    }

    /// In the order of names, objects are near each other on disk more often than not; and the
    /// visitor finds them in a manifest without searching.
    fn sort(&mut self) {
        let text = &self.text;
        self.names.sort_unstable_by(|one, other| one.bytes(text).cmp(other.bytes(text)));
    }

    fn names(&self, range: Range<usize>) -> Vec<Name<'_>> {
        let name = |listed: &Listed| Name { bytes: listed.bytes(&self.text), kind: listed.kind };
        self.names[range].iter().map(name).collect()
    }
}

impl Listed {
    fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start..self.start + usize::from(self.length)]
    }
}

/// Hands out the objects of a directory in batches.
fn spread<'s, V: Visitor>(scope: &Scope<'s>, walk: &'s Walk<'_>, visitor: &'s V, dir: Dir) {
    let dir = Arc::new(dir);
    let count = dir.listing.names.len();
    for start in (0..count).step_by(BATCH) {
        let dir = Arc::clone(&dir);
        let batch = start..count.min(start + BATCH);
        scope.spawn(move |scope| visit(scope, walk, visitor, &dir, batch));
    }
}

fn visit<'s, V: Visitor>(
    scope: &Scope<'s>,
    walk: &'s Walk<'_>,
    visitor: &'s V,
    dir: &Arc<Dir>,
    batch: Range<usize>,
) {
    let first = batch.start;
    let Visited { dirs, large } = visitor.visit(dir, &dir.listing.names(batch));
    for task in dirs {
        if !walk.one_file_system || task.seen.st_dev == dir.device {
            scope.spawn(move |scope| enter(scope, walk, visitor, task));
        }
    }
    // What is spawned last is done first: then no directory stays open until all that is below it
    // was visited.
    for nth in large {
        let dir = Arc::clone(dir);
        let alone = first + nth..first + nth + 1;
        scope.spawn(move |scope| visit(scope, walk, visitor, &dir, alone));
    }
}
