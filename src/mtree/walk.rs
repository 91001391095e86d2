//! Walking a tree on all cores, directory by directory, without following a link.
//!
//! A directory is opened by its path below the root when its turn comes, so neither the depth of
//! the tree nor the number of directories waiting is bounded by the number of open files.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rayon::Scope;
use rustix::fs::{FileType, RawDir, Stat};

use super::exclude::Excludes;
use super::manifest::EntryId;
use super::place::{open_dir, replaced, same};

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
}

impl Dir {
    /// The path of an object in it.
    pub(super) fn join(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [&self.path, &b"/"[..], name].concat() }
    }
}

/// A name in a directory.
pub(super) struct Name {
    pub(super) bytes: Box<[u8]>,
    /// What the directory says it is. Nothing was looked at for that, and some directories do not
    /// say.
    pub(super) kind: FileType,
}

/// What is done with the objects of a tree, on several threads at a time.
pub(super) trait Visitor: Sync {
    /// Looks at objects of a directory, which are in the order of their names.
    fn visit(&self, dir: &Dir, names: Vec<Name>) -> Visited;

    /// All that is in the directory `id` could not be looked at.
    fn unread(&self, id: EntryId, path: Vec<u8>, error: io::Error);
}

/// What is still to be done after a visit.
#[derive(Default)]
pub(super) struct Visited {
    /// Directories to go into.
    pub(super) dirs: Vec<Task>,
    /// Files so large that each is to be visited by itself: then several are hashed at a time.
    pub(super) large: Vec<Name>,
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
        Ok((dir, names)) => spread(scope, walk, visitor, dir, names),
        Err(error) => visitor.unread(id, path, error),
    }
}

/// Opens a directory and lists it.
fn open(walk: &Walk<'_>, task: Task) -> io::Result<(Dir, Vec<Name>)> {
    let fd = open_dir(walk.root, &task.path)?;
    let now = rustix::fs::fstat(&fd)?;
    if !same(&now, &task.seen) {
        return Err(replaced());
    }
    let mut names = list(&fd)?;
    names.retain(|name| !walk.excludes.matches(&task.path, &name.bytes));
    // In the order of names, objects are near each other on disk more often than not; and the
    // visitor finds them in a manifest without searching.
    names.sort_unstable_by(|one, other| one.bytes.cmp(&other.bytes));
    Ok((Dir { fd, id: task.id, path: task.path, device: now.st_dev }, names))
}

fn list(fd: &OwnedFd) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); 64 * 1024];
    let mut entries = RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if bytes != b"." && bytes != b".." {
            names.push(Name { bytes: bytes.into(), kind: entry.file_type() });
        }
    }
    Ok(names)
}

/// Hands out the objects of a directory in batches.
fn spread<'s, V: Visitor>(
    scope: &Scope<'s>,
    walk: &'s Walk<'_>,
    visitor: &'s V,
    dir: Dir,
    names: Vec<Name>,
) {
    let dir = Arc::new(dir);
    let mut names = names.into_iter();
    loop {
        let batch: Vec<_> = names.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return;
        }
        let dir = Arc::clone(&dir);
        scope.spawn(move |scope| visit(scope, walk, visitor, &dir, batch));
    }
}

fn visit<'s, V: Visitor>(
    scope: &Scope<'s>,
    walk: &'s Walk<'_>,
    visitor: &'s V,
    dir: &Arc<Dir>,
    names: Vec<Name>,
) {
    let Visited { dirs, large } = visitor.visit(dir, names);
    for task in dirs {
        if !walk.one_file_system || task.seen.st_dev == dir.device {
            scope.spawn(move |scope| enter(scope, walk, visitor, task));
        }
    }
    // What is spawned last is done first: then no directory stays open until all that is below it
    // was visited.
    for name in large {
        let dir = Arc::clone(dir);
        scope.spawn(move |scope| visit(scope, walk, visitor, &dir, vec![name]));
    }
}
