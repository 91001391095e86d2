//! Walks a tree on all cores, one directory at a time, and follows no link.
//!
//! Each directory is opened by its path from the root only when its turn comes. So the limit for
//! open files limits neither the depth of the tree nor the number of waiting directories.

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

/// Number of objects of one directory that are examined in one task.
const BATCH: usize = 256;

/// The parameters of a walk.
pub(super) struct Walk<'a> {
    pub(super) root: &'a OwnedFd,
    pub(super) one_file_system: bool,
    pub(super) excludes: &'a Excludes,
}

/// An open directory.
pub(super) struct Dir {
    pub(super) fd: OwnedFd,
    pub(super) id: EntryId,
    /// Path from the root, such as `a/b`; empty for the root.
    pub(super) path: Vec<u8>,
    device: u64,
    listing: Listing,
}

impl Dir {
    /// The path of an object in this directory.
    pub(super) fn join(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [&self.path, &b"/"[..], name].concat() }
    }
}

/// A name in a directory.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) bytes: &'a [u8],
    /// The type in the directory's list; some file systems do not state it. The object itself was
    /// not examined.
    pub(super) kind: FileType,
}

/// The names in a directory. There may be millions, so they share one allocation.
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

/// Examines the objects of a tree, on several threads at a time.
pub(super) trait Visitor: Sync {
    /// Examines objects of a directory. They are sorted by name.
    fn visit(&self, dir: &Dir, names: &[Name<'_>]) -> Visited;

    /// Reports that the directory `id` could not be read.
    fn unread(&self, id: EntryId, path: Vec<u8>, error: io::Error);
}

/// What remains to be done after a visit.
#[derive(Default)]
pub(super) struct Visited {
    /// Directories to descend into.
    pub(super) dirs: Vec<Task>,
    /// Large files, as indexes of `names`. Each becomes a task of its own, so that several are
    /// hashed in parallel.
    pub(super) large: Vec<usize>,
}

/// A directory that waits for its turn.
pub(super) struct Task {
    pub(super) id: EntryId,
    /// Path from the root, such as `a/b`; empty for the root.
    pub(super) path: Vec<u8>,
    /// Its metadata when it was found.
    pub(super) seen: Stat,
}

/// Visits everything below the root. `root` is the root's metadata.
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

/// Opens and lists a directory.
fn open(walk: &Walk<'_>, task: Task) -> io::Result<Dir> {
    let fd = open_dir(walk.root, &task.path)?;
    let now = rustix::fs::fstat(&fd)?;
    if !same(&now, &task.seen) {
        return Err(replaced());
    }
    let mut listing = Listing::read(&fd)?;
    listing.exclude(|name| walk.excludes.matches(&task.path, name));
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

    fn exclude(&mut self, is_excluded: impl Fn(&[u8]) -> bool) {
        let text = &self.text;
        self.names.retain(|listed| !is_excluded(listed.bytes(text)));
    }

    /// Sorts by name: the objects are then often close to each other on disk, and the visitor finds
    /// them in a manifest without searching.
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

/// Splits the objects of a directory into tasks.
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
    // The task that is spawned last runs first. So the files come last, and the directory is closed
    // before the walk descends.
    for nth in large {
        let dir = Arc::clone(dir);
        let alone = first + nth..first + nth + 1;
        scope.spawn(move |scope| visit(scope, walk, visitor, &dir, alone));
    }
}
