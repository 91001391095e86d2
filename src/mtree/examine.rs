//! Examines objects of a tree: collects the requested facts and reads no more than they need.

use super::content::{Content, Contents, Digested};
use super::facts::{Device, Facts, Kind, Timestamp, Xattr};
use super::keyword::{Keyword, Keywords};
use super::walk::{Dir, Name};
use crate::disk::beneath::{is_file, open_file, read_link, replaced, stat};
use crate::progress::Meter;
use rustix::fs::{FileType, Stat};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

/// A file of this size is examined as a task of its own.
const LARGE: i64 = 1 << 20;

/// Examines objects.
pub(super) struct Examiner<'a> {
    users: Names,
    groups: Names,
    meter: &'a Meter,
}

/// The result of examining an object.
#[expect(clippy::large_enum_variant, reason = "nearly all are objects, a batch at a time")]
pub(super) enum Examined {
    Object(Examination),
    /// Not examined yet: it is a large file, and smaller files go first.
    Large,
    Failed(io::Error),
}

/// The facts about an object, and the error if some are missing.
pub(super) struct Examination {
    pub(super) stat: Stat,
    pub(super) facts: Facts,
    pub(super) error: Option<io::Error>,
}

impl Examination {
    pub(super) fn is_dir(&self) -> bool {
        FileType::from_raw_mode(self.stat.st_mode) == FileType::Directory
    }
}

impl<'a> Examiner<'a> {
    /// Reads the names of users and groups from `/etc/passwd` and `/etc/group` if `keywords` need
    /// them.
    pub(super) fn new(keywords: Keywords, meter: &'a Meter) -> Self {
        let names = |keyword, path| match keywords.contains(keyword) {
            true => Names::read(path),
            false => Names::default(),
        };
        let users = names(Keyword::Uname, "/etc/passwd");
        let groups = names(Keyword::Gname, "/etc/group");
        Self { users, groups, meter }
    }

    /// Examines objects of one directory, each for its own keywords. Opens a file only if a digest
    /// is requested.
    pub(super) fn examine(&self, dir: &Dir, wanted: &[(Name<'_>, Keywords)]) -> Vec<Examined> {
        let mut examined = Vec::with_capacity(wanted.len());
        let mut contents = Contents::new(self.meter);
        for (nth, (name, keywords)) in wanted.iter().enumerate() {
            let (stat, file) = match open(dir, name, *keywords) {
                Ok(opened) => opened,
                Err(error) => {
                    examined.push(Examined::Failed(error));
                    continue;
                }
            };
            if file.is_some() && stat.st_size >= LARGE && wanted.len() > 1 {
                examined.push(Examined::Large);
                continue;
            }
            examined.push(Examined::Object(self.meta(dir, name, &stat, *keywords)));
            let digested = match file {
                None => None,
                Some(Err(error)) => Some((nth, Err(error))),
                Some(Ok(file)) => contents.take(Content { nth, file, stat, keywords: *keywords }),
            };
            enter(&mut examined, digested);
        }
        while let Some(digested) = contents.next() {
            enter(&mut examined, Some(digested));
        }
        examined
    }

    /// The facts that `stat` provides.
    pub(super) fn of_stat(&self, stat: &Stat, keywords: Keywords) -> Facts {
        let mut facts = Facts { kind: Some(kind(stat)), ..Facts::default() };
        let known = |keyword| keywords.contains(keyword);
        facts.mode = known(Keyword::Mode).then_some(stat.st_mode as u16 & 0o7777);
        facts.uid = known(Keyword::Uid).then_some(stat.st_uid);
        facts.gid = known(Keyword::Gid).then_some(stat.st_gid);
        // File systems disagree on the size of anything but a file, and on the link count of a
        // directory.
        let counted = known(Keyword::Nlink) && kind(stat) != Kind::Dir;
        facts.nlink = u32::try_from(stat.st_nlink).ok().filter(|_| counted);
        let sized = known(Keyword::Size) && kind(stat) == Kind::File;
        facts.size = u64::try_from(stat.st_size).ok().filter(|_| sized);
        if known(Keyword::Time) || known(Keyword::TarTime) {
            let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
            facts.time = Some(Timestamp { seconds: stat.st_mtime, nanoseconds });
            facts.whole_seconds = !known(Keyword::Time);
        }
        if known(Keyword::Uname) {
            facts.rare_mut().uname = self.users.name(stat.st_uid);
            if facts.rare().uname.is_none() {
                facts.uid = Some(stat.st_uid);
            }
        }
        if known(Keyword::Gname) {
            facts.rare_mut().gname = self.groups.name(stat.st_gid);
            if facts.rare().gname.is_none() {
                facts.gid = Some(stat.st_gid);
            }
        }
        if known(Keyword::Device) && kind(stat).is_device() {
            facts.rare_mut().device = Some(device(stat.st_rdev));
        }
        if known(Keyword::Inode) {
            facts.rare_mut().inode = Some(stat.st_ino);
        }
        if known(Keyword::Resdevice) {
            facts.rare_mut().resdevice = Some(device(stat.st_dev));
        }
        facts
    }

    fn meta(&self, dir: &Dir, name: &Name<'_>, stat: &Stat, keywords: Keywords) -> Examination {
        let mut facts = self.of_stat(stat, keywords);
        let mut error = None;
        if keywords.contains(Keyword::Link) && facts.kind == Some(Kind::Link) {
            match read_link(&dir.fd, name.bytes) {
                Ok(target) => facts.rare_mut().link = Some(target),
                Err(fault) => error = Some(fault),
            }
        }
        let (all, acls) = (keywords.contains(Keyword::Xattr), keywords.contains(Keyword::Acl));
        if all || acls {
            match xattrs(&dir.fd, name.bytes, |xattr| all || xattr.is_acl()) {
                Ok(xattrs) if xattrs.is_empty() => {}
                Ok(xattrs) => facts.rare_mut().xattrs = xattrs,
                Err(fault) => error = Some(fault),
            }
        }
        Examination { stat: *stat, facts, error }
    }
}

/// The metadata of an object; also opens it if it is a file and digests are requested.
fn open(
    dir: &Dir,
    name: &Name<'_>,
    keywords: Keywords,
) -> io::Result<(Stat, Option<io::Result<OwnedFd>>)> {
    let digests = keywords.algorithms().next().is_some();
    let may_be_file = match name.kind {
        // Find out the type first: opening a device or a FIFO can have effects.
        FileType::Unknown => digests && is_file(&stat(&dir.fd, name.bytes)?),
        kind => kind == FileType::RegularFile,
    };
    let mut failed = None;
    if digests && may_be_file {
        match open_file(&dir.fd, name.bytes) {
            Ok((file, stat)) => return Ok((stat, Some(Ok(file)))),
            Err(error) => failed = Some(error),
        }
    }
    let stat = stat(&dir.fd, name.bytes)?;
    let unread = (digests && is_file(&stat)).then(|| Err(failed.unwrap_or_else(replaced)));
    Ok((stat, unread))
}

/// Stores the digests of an object, or the error.
fn enter(examined: &mut [Examined], digested: Option<Digested>) {
    let Some((nth, digests)) = digested else { return };
    let Examined::Object(examination) = &mut examined[nth] else { return };
    match digests {
        Ok(digests) => examination.facts.digests = digests,
        Err(error) => examination.error = Some(error),
    }
}

fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        FileType::CharacterDevice => Kind::Char,
        FileType::BlockDevice => Kind::Block,
        _ => Kind::File,
    }
}

fn device(number: u64) -> Device {
    Device { major: rustix::fs::major(number), minor: rustix::fs::minor(number) }
}

/// Extended attributes of an object of any type, without opening it. There is no `lgetxattr`
/// relative to a directory, so the path goes through the directory's descriptor in `/proc`; its
/// last component is not followed.
fn xattrs(dir: &OwnedFd, name: &[u8], wanted: impl Fn(&Xattr) -> bool) -> io::Result<Vec<Xattr>> {
    use std::os::unix::ffi::OsStrExt;
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd()));
    path.push(std::ffi::OsStr::from_bytes(name));
    let mut names = vec![0; 64 * 1024];
    let length = match rustix::fs::llistxattr(&path, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::NOTSUP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    let mut value = vec![0; if length == 0 { 0 } else { 64 * 1024 }];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let length = match rustix::fs::lgetxattr(&path, name, &mut value[..]) {
            Ok(length) => length,
            // The attribute was removed meanwhile, or is one that is listed but cannot be read.
            Err(rustix::io::Errno::NODATA) => continue,
            Err(error) => return Err(error.into()),
        };
        let xattr = Xattr { name: name.into(), value: value[..length].into() };
        if wanted(&xattr) {
            found.push(xattr);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Names of users or groups by number.
#[derive(Default)]
struct Names(HashMap<u32, Arc<[u8]>>);

impl Names {
    /// Reads a file with lines `name:password:number:…`. A missing file has no names.
    fn read(path: &str) -> Self {
        let text = std::fs::read(path).unwrap_or_default();
        let mut names = HashMap::new();
        for line in text.split(|byte| *byte == b'\n') {
            let mut fields = line.split(|byte| *byte == b':');
            if let (Some(name), Some(number)) = (fields.next(), fields.nth(1))
                && let Some(number) = str::from_utf8(number).ok().and_then(|n| n.parse().ok())
            {
                names.entry(number).or_insert_with(|| name.into());
            }
        }
        Self(names)
    }

    fn name(&self, number: u32) -> Option<Arc<[u8]>> {
        self.0.get(&number).cloned()
    }
}
