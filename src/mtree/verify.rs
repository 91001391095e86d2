//! Compares a tree with its manifest.

use super::compare::Rules;
use super::comparison::{Comparison, Difference, Object, What};
use super::create::Trouble;
use super::entry::EntryId;
use super::examine::{Examination, Examined, Examiner};
use super::exclude::Excludes;
use super::facts::{Facts, Kind};
use super::hard_links;
use super::keyword::{Keyword, Keywords};
use super::manifest::Manifest;
use super::walk::{Dir, Name, Task, Visited, Visitor, Walk, walk};
use crate::disk::beneath::{is_file, open_root, stat};
use crate::progress::Meter;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How to verify a tree.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// How to compare objects.
    pub rules: Rules,
    /// Do not descend into other file systems.
    pub one_file_system: bool,
    /// Names that are neither compared nor reported.
    pub excludes: Excludes,
    /// Device and inode of the manifest's own file, which is not reported as extra.
    pub own: Option<(u64, u64)>,
}

/// Compares the tree at `root` with a manifest, on all cores. Opens nothing outside the tree,
/// follows no link, and reads only regular files.
///
/// # Errors
/// If the root cannot be opened. An object below it that cannot be examined is reported as a
/// trouble.
pub fn verify(
    manifest: &Manifest,
    root: &Path,
    options: &VerifyOptions,
    meter: &Meter,
) -> io::Result<Comparison> {
    let root = open_root(root)?;
    let stat = rustix::fs::fstat(&root)?;
    let said =
        manifest.entries().fold(Keywords::NONE, |said, one| said.union(checkable(&one.facts)));
    let words = manifest.len().div_ceil(64);
    let verifier = Verifier {
        manifest,
        options,
        examiner: Examiner::new(said, meter),
        seen: (0..words).map(|_| AtomicU64::new(0)).collect(),
        linked: manifest.hard_links().iter().map(|(_, id)| *id).collect(),
        found: Mutex::default(),
    };
    verifier.see(EntryId::ROOT);
    let wanted = verifier.wanted(EntryId::ROOT);
    let found = verifier.examiner.of_stat(&stat, wanted);
    verifier.compare(EntryId::ROOT, found, wanted, &mut verifier.lock().differences);
    let what =
        Walk { root: &root, one_file_system: options.one_file_system, excludes: &options.excludes };
    if !manifest.facts(EntryId::ROOT).ignore {
        walk(&what, stat, &verifier);
    }
    Ok(verifier.finish(said))
}

/// The keywords of an object that can be checked here. Linux has no flags, so `flags=none` is true.
fn checkable(facts: &Facts) -> Keywords {
    let said = facts.keywords();
    match facts.rare().flags.as_deref() {
        Some(b"none") => said.without(Keywords::NONE.with(Keyword::Flags)),
        _ => said,
    }
}

/// Keywords that only one type of object has.
const IMPLY_TYPE: Keywords = Keywords::NONE
    .with(Keyword::Link)
    .with(Keyword::Device)
    .with(Keyword::Cksum)
    .with(Keyword::Md5)
    .with(Keyword::Rmd160)
    .with(Keyword::Sha1)
    .with(Keyword::Sha256)
    .with(Keyword::Sha384)
    .with(Keyword::Sha512)
    .with(Keyword::Sha512256);

/// Keywords that are not compared: they mean something else on this host, or say what not to
/// compare.
const UNCHECKED: Keywords = Keywords::NONE
    .with(Keyword::Flags)
    .with(Keyword::Inode)
    .with(Keyword::Resdevice)
    .with(Keyword::Tags)
    .with(Keyword::Ignore)
    .with(Keyword::Nochange);

struct Verifier<'a> {
    manifest: &'a Manifest,
    options: &'a VerifyOptions,
    examiner: Examiner<'a>,
    /// One bit per entry: the object was found.
    seen: Vec<AtomicU64>,
    /// Entries with several names in the manifest.
    linked: HashSet<EntryId>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    differences: Vec<Difference>,
    troubles: Vec<Trouble>,
    /// Directories that could not be read, so that their contents may not be missing.
    unread: HashSet<EntryId>,
    /// Device and inode of objects that have several names, or should have.
    linked: HashMap<EntryId, (u64, u64)>,
    objects: u64,
    files: u64,
    undigested: u64,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.differences.extend(other.differences);
        self.troubles.extend(other.troubles);
        self.unread.extend(other.unread);
        self.linked.extend(other.linked);
        self.objects += other.objects;
        self.files += other.files;
        self.undigested += other.undigested;
    }
}

impl Verifier<'_> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found.lock().expect("no thread panicked")
    }

    fn see(&self, id: EntryId) {
        self.seen[id.index() / 64].fetch_or(1 << (id.index() % 64), Ordering::Relaxed);
    }

    fn was_seen(&self, id: EntryId) -> bool {
        self.seen[id.index() / 64].load(Ordering::Relaxed) & 1 << (id.index() % 64) != 0
    }

    /// True for the manifest's own file, which is not part of the tree.
    fn is_own(&self, dir: &Dir, name: &Name<'_>) -> bool {
        self.options.own.is_some_and(|own| {
            stat(&dir.fd, name.bytes).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == own)
        })
    }

    /// The keywords to collect for comparing an object.
    fn wanted(&self, id: EntryId) -> Keywords {
        let facts = self.manifest.facts(id);
        if facts.nochange {
            return Keywords::NONE;
        }
        let mut wanted = facts.keywords().without(self.options.rules.ignore);
        if self.manifest.lists_xattrs && !self.options.rules.ignore.contains(Keyword::Xattr) {
            wanted.add(Keyword::Xattr);
        }
        // An implied parent must be a directory; for any other object, the manifest states the
        // type.
        wanted.with(Keyword::Type)
    }

    fn compare(
        &self,
        id: EntryId,
        mut found: Facts,
        wanted: Keywords,
        differences: &mut Vec<Difference>,
    ) {
        let entry = self.manifest.entry(id);
        let rules = &self.options.rules;
        // A user that this host does not know is a difference and not an error.
        if wanted.contains(Keyword::Uname) && found.rare().uname.is_none() {
            let number = found.uid.unwrap_or_default().to_string();
            found.rare_mut().uname = Some(number.as_bytes().into());
        }
        if wanted.contains(Keyword::Gname) && found.rare().gname.is_none() {
            let number = found.gid.unwrap_or_default().to_string();
            found.rare_mut().gname = Some(number.as_bytes().into());
        }
        let mut different = if entry.facts.nochange {
            let facts = Facts { kind: entry.facts.kind, ..Facts::default() };
            rules.differences(&facts, &found)
        } else {
            rules.differences(&entry.facts, &found)
        };
        // Without a type in the manifest, a keyword that only one type has still implies the type.
        if !wanted.intersection(IMPLY_TYPE).without(found.keywords()).is_empty() {
            different = Keywords::NONE.with(Keyword::Type);
        }
        if !entry.stated && found.kind != Some(Kind::Dir) && id != EntryId::ROOT {
            different.add(Keyword::Type);
        }
        let all = self.manifest.lists_xattrs;
        if wanted.contains(Keyword::Xattr)
            && !different.contains(Keyword::Type)
            && rules.xattrs_differ(&entry.facts, &found, all)
        {
            different.add(Keyword::Xattr);
        }
        if !different.is_empty() {
            let what = What::Differs(different, Box::new(found));
            differences.push(Difference { object: Object::Entry(id), what });
        }
    }

    /// Compares an object. Returns true if it is a directory to descend into.
    fn object(
        &self,
        dir: &Dir,
        name: &Name<'_>,
        id: EntryId,
        mut wanted: Keywords,
        examination: Examination,
        found: &mut Found,
    ) -> Option<Task> {
        let (is_dir, stat) = (examination.is_dir(), examination.stat);
        self.see(id);
        found.objects += 1;
        if let Some(error) = examination.error {
            found.troubles.push(Trouble { path: dir.join(name.bytes), error });
            wanted = wanted.without(IMPLY_TYPE);
        }
        self.compare(id, examination.facts, wanted, &mut found.differences);
        let facts = self.manifest.facts(id);
        if is_file(&stat) && facts.kind.is_none_or(|kind| kind == Kind::File) {
            found.files += 1;
            found.undigested += u64::from(facts.digests.is_empty());
        }
        if !is_dir && (self.linked.contains(&id) || stat.st_nlink > 1) {
            found.linked.insert(id, (stat.st_dev, stat.st_ino));
        }
        let enters = is_dir && facts.kind.is_none_or(|kind| kind == Kind::Dir) && !facts.ignore;
        enters.then(|| Task { id, path: dir.join(name.bytes), seen: stat })
    }

    fn finish(self, said: Keywords) -> Comparison {
        let missing = self.missing();
        let found = self.found.into_inner().expect("no thread panicked");
        let mut differences = found.differences;
        differences.extend(missing);
        let broken = if self.manifest.hard_links().is_empty() {
            Vec::new()
        } else {
            hard_links::broken(self.manifest, &found.linked)
        };
        if !self.options.rules.ignore.contains(Keyword::Nlink) {
            let broken = broken.into_iter().map(Object::Entry);
            differences.extend(broken.map(|object| Difference { object, what: What::LinkBroken }));
        }
        let ignored = self.options.rules.ignore;
        let mut comparison = Comparison {
            differences,
            troubles: found.troubles,
            is_empty: self.manifest.is_empty(),
            objects: found.objects + 1,
            files: found.files,
            undigested: found.undigested,
            unchecked: said.intersection(UNCHECKED.union(ignored)),
            uncheckable: said.intersection(Keywords::NONE.with(Keyword::Flags)).without(ignored),
        };
        comparison.sort(self.manifest);
        comparison
    }

    /// The entries that were not found.
    fn missing(&self) -> Vec<Difference> {
        let found = self.lock();
        let mut missing = Vec::new();
        let mut waiting = vec![EntryId::ROOT];
        while let Some(id) = waiting.pop() {
            let facts = self.manifest.facts(id);
            if !self.was_seen(id) {
                let entry = self.manifest.entry(id);
                let excludes = &self.options.excludes;
                let parent = self.manifest.path(entry.parent());
                if facts.optional || excludes.matches(&parent, entry.name()) {
                    continue;
                }
                missing.push(Difference { object: Object::Entry(id), what: What::Missing });
            }
            if !facts.ignore && !found.unread.contains(&id) {
                waiting.extend(self.manifest.children(id));
            }
        }
        missing
    }
}

impl Visitor for Verifier<'_> {
    fn visit(&self, dir: &Dir, names: &[Name<'_>]) -> Visited {
        let mut found = Found::default();
        let mut known = Vec::with_capacity(names.len());
        let mut wanted = Vec::with_capacity(names.len());
        let mut entries = self.manifest.in_order(dir.id);
        for (nth, name) in names.iter().enumerate() {
            match entries.find(name.bytes) {
                Some(id) => {
                    known.push((nth, id));
                    wanted.push((*name, self.wanted(id)));
                }
                None if self.options.rules.ignore_extra || self.is_own(dir, name) => {}
                None => {
                    let object = Object::Extra(dir.id, name.bytes.into());
                    found.differences.push(Difference { object, what: What::Extra });
                }
            }
        }
        let examined = self.examiner.examine(dir, &wanted);
        let mut visited = Visited::default();
        for (((nth, id), (name, wanted)), examined) in known.into_iter().zip(wanted).zip(examined) {
            match examined {
                Examined::Object(examination) => {
                    let task = self.object(dir, &name, id, wanted, examination, &mut found);
                    visited.dirs.extend(task);
                }
                Examined::Large => visited.large.push(nth),
                Examined::Failed(error) => {
                    self.see(id);
                    found.troubles.push(Trouble { path: dir.join(name.bytes), error });
                }
            }
        }
        self.lock().add(found);
        visited
    }

    fn unread(&self, id: EntryId, path: Vec<u8>, error: io::Error) {
        let mut found = self.lock();
        found.unread.insert(id);
        found.troubles.push(Trouble { path, error });
    }
}
