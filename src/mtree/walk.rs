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
use super::place::{open_dir, replaced, same, stat};

/// How many objects of one directory are looked at in one go.
const BATCH: usize = 256;

/// A file of this size is looked at by itself, so that several are hashed at a time.
const LARGE: u64 = 1 << 20;

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
    pub(super) fn join(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [&self.path, &b"/"[..], name].concat() }
    }
}

/// An object of a directory.
pub(super) struct Object {
    pub(super) name: Box<[u8]>,
    pub(super) stat: Stat,
}

impl Object {
    pub(super) fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// What is done with the objects of a tree, on several threads at a time.
pub(super) trait Visitor: Sync {
    /// Looks at objects of a directory; answers which directories among them to go into.
    fn visit(&self, dir: &Dir, objects: &[Object]) -> Vec<(usize, EntryId)>;

    /// An object, or all that is in the directory `inside`, could not be looked at.
    fn trouble(&self, path: Vec<u8>, inside: Option<EntryId>, error: io::Error);
}

/// Visits everything below the root, whose own stat is given.
pub(super) fn walk<V: Visitor>(walk: &Walk<'_>, root: Stat, visitor: &V) {
    let task = Task { id: EntryId::ROOT, path: Vec::new(), seen: root };
    rayon::scope(|scope| enter(scope, walk, visitor, task));
}

/// A directory that waits for its turn.
struct Task {
    id: EntryId,
    path: Vec<u8>,
    seen: Stat,
}

fn enter<'s, V: Visitor>(scope: &Scope<'s>, walk: &'s Walk<'_>, visitor: &'s V, task: Task) {
    let id = task.id;
    let path = task.path.clone();
    match open(walk, task) {
        Ok((dir, names)) => spread(scope, walk, visitor, dir, names),
        Err(error) => visitor.trouble(path, Some(id), error),
    }
}

/// Opens a directory and lists it.
fn open(walk: &Walk<'_>, task: Task) -> io::Result<(Dir, Vec<Box<[u8]>>)> {
    let fd = open_dir(walk.root, &task.path)?;
    let now = rustix::fs::fstat(&fd)?;
    if !same(&now, &task.seen) {
        return Err(replaced());
    }
    let mut names = list(&fd)?;
    names.retain(|name| !walk.excludes.matches(&task.path, name));
    // In the order of names, objects are near each other on disk more often than not.
    names.sort_unstable();
    Ok((Dir { fd, id: task.id, path: task.path, device: now.st_dev }, names))
}

fn list(fd: &OwnedFd) -> io::Result<Vec<Box<[u8]>>> {
    let mut names = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); 32 * 1024];
    let mut entries = RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name.into());
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
    names: Vec<Box<[u8]>>,
) {
    let dir = Arc::new(dir);
    let mut names = names.into_iter();
    loop {
        let batch: Vec<_> = names.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return;
        }
        let dir = Arc::clone(&dir);
        scope.spawn(move |scope| look(scope, walk, visitor, &dir, batch));
    }
}

fn look<'s, V: Visitor>(
    scope: &Scope<'s>,
    walk: &'s Walk<'_>,
    visitor: &'s V,
    dir: &Arc<Dir>,
    names: Vec<Box<[u8]>>,
) {
    let mut objects = Vec::with_capacity(names.len());
    for name in names {
        let stat = match stat(&dir.fd, &name) {
            Ok(stat) => stat,
            Err(error) => {
                visitor.trouble(dir.join(&name), None, error);
                continue;
            }
        };
        let object = Object { name, stat };
        let large = u64::try_from(object.stat.st_size).is_ok_and(|size| size >= LARGE);
        if large && object.file_type() == FileType::RegularFile {
            let dir = Arc::clone(dir);
            scope.spawn(move |_| {
                visitor.visit(&dir, &[object]);
            });
        } else {
            objects.push(object);
        }
    }
    for (nth, id) in visitor.visit(dir, &objects) {
        let object = &objects[nth];
        if walk.one_file_system && object.stat.st_dev != dir.device {
            continue;
        }
        let task = Task { id, path: dir.join(&object.name), seen: object.stat };
        scope.spawn(move |scope| enter(scope, walk, visitor, task));
    }
}
