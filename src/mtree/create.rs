//! Makes a manifest of a tree.

use super::builder::Collector;
use super::entry::EntryId;
use super::examine::{Examined, Examiner};
use super::exclude::Excludes;
use super::keyword::{Keyword, Keywords};
use super::manifest::Manifest;
use super::walk::{Dir, Name, Task, Visited, Visitor, Walk, walk};
use crate::disk::beneath::open_root;
use crate::progress::Meter;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;

/// How to make a manifest.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// The keywords to collect.
    pub keywords: Keywords,
    /// Do not descend into other file systems. Their mount points are still in the manifest.
    pub one_file_system: bool,
    /// Names to exclude.
    pub excludes: Excludes,
    /// Device and inode of further files to exclude: the manifest that is being written.
    pub own: Vec<(u64, u64)>,
}

impl Default for CreateOptions {
    fn default() -> Self {
        let excludes = Excludes::default();
        let own = Vec::new();
        Self { keywords: Keywords::DEFAULT, one_file_system: false, excludes, own }
    }
}

/// An object that could not be examined.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", super::escape::Escaped(path))]
pub struct Trouble {
    /// Path from the root of the tree.
    pub path: Vec<u8>,
    /// The cause.
    pub error: io::Error,
}

/// A manifest, and what it lacks.
#[derive(Debug)]
pub struct Created {
    /// All objects that could be examined. A file that could not be read has no digest.
    pub manifest: Manifest,
    /// The objects that could not be examined, sorted by path.
    pub troubles: Vec<Trouble>,
    /// The error if the archive is truncated. The manifest is then incomplete, and must not be
    /// marked as complete.
    pub cut: Option<io::Error>,
}

/// Makes a manifest of the tree at `root`, on all cores.
///
/// # Errors
/// If the root cannot be opened. An object below it that cannot be examined is reported as a
/// trouble.
pub fn create(root: &Path, options: &CreateOptions, meter: &Meter) -> io::Result<Created> {
    let root = open_root(root)?;
    let stat = rustix::fs::fstat(&root)?;
    let examiner = Examiner::new(options.keywords, meter);
    let facts = examiner.of_stat(&stat, options.keywords);
    let creator = Creator {
        examiner,
        keywords: options.keywords,
        own: &options.own,
        collected: Mutex::new(Collector::new(facts)),
        links: Mutex::default(),
        troubles: Mutex::default(),
    };
    let what =
        Walk { root: &root, one_file_system: options.one_file_system, excludes: &options.excludes };
    walk(&what, stat, &creator);
    Ok(creator.finish())
}

struct Creator<'a> {
    examiner: Examiner<'a>,
    keywords: Keywords,
    own: &'a [(u64, u64)],
    collected: Mutex<Collector>,
    /// Entries by device and inode, of objects with several names.
    links: Mutex<HashMap<(u64, u64), Vec<EntryId>>>,
    troubles: Mutex<Vec<Trouble>>,
}

impl Creator<'_> {
    fn finish(self) -> Created {
        let links = self.links.into_inner().expect("no thread panicked");
        let links = (1..).zip(links.into_values());
        let links = links.flat_map(|(group, ids)| ids.into_iter().map(move |id| (group, id)));
        let collected = self.collected.into_inner().expect("no thread panicked");
        let mut manifest = collected.finish(links.collect());
        manifest.lists_xattrs = self.keywords.contains(Keyword::Xattr);
        let mut troubles = self.troubles.into_inner().expect("no thread panicked");
        troubles.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Created { manifest, troubles, cut: None }
    }

    fn trouble(&self, path: Vec<u8>, error: io::Error) {
        self.troubles.lock().expect("no thread panicked").push(Trouble { path, error });
    }

    fn know_links(&self, links: Vec<((u64, u64), EntryId)>) {
        if links.is_empty() {
            return;
        }
        let mut known = self.links.lock().expect("no thread panicked");
        for (inode, id) in links {
            known.entry(inode).or_default().push(id);
        }
    }
}

impl Visitor for Creator<'_> {
    fn visit(&self, dir: &Dir, names: &[Name<'_>]) -> Visited {
        let wanted: Vec<_> = names.iter().map(|name| (*name, self.keywords)).collect();
        let examined = self.examiner.examine(dir, &wanted);
        let mut visited = Visited::default();
        let mut links = Vec::new();
        let mut collected = self.collected.lock().expect("no thread panicked");
        for (nth, (name, examined)) in names.iter().zip(examined).enumerate() {
            let path = || dir.join(name.bytes);
            let examination = match examined {
                Examined::Object(examination) => examination,
                Examined::Large => {
                    visited.large.push(nth);
                    continue;
                }
                Examined::Failed(error) => {
                    self.trouble(path(), error);
                    continue;
                }
            };
            if self.own.contains(&(examination.stat.st_dev, examination.stat.st_ino)) {
                continue;
            }
            let is_dir = examination.is_dir();
            if let Some(error) = examination.error {
                self.trouble(path(), error);
            }
            if collected.is_full() {
                self.trouble(path(), io::Error::other("the tree has too many objects"));
                continue;
            }
            let below = is_dir.then(|| (path(), examination.stat));
            let id = collected.push(dir.id, name.bytes.into(), examination.facts);
            if let Some((path, seen)) = below {
                visited.dirs.push(Task { id, path, seen });
            } else if examination.stat.st_nlink > 1 {
                links.push(((examination.stat.st_dev, examination.stat.st_ino), id));
            }
        }
        drop(collected);
        self.know_links(links);
        visited
    }

    fn unread(&self, _: EntryId, path: Vec<u8>, error: io::Error) {
        self.trouble(path, error);
    }
}
