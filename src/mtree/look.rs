//! Looking at objects: what a manifest could say of them, with no more reading than asked for.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{Advice, FileType, Stat};

use super::digest::{Digests, Hasher};
use super::facts::{Device, Facts, Kind, Timestamp, Xattr};
use super::keyword::{Keyword, Keywords};
use super::place::{open_file, read_link};
use super::walk::{Dir, Object};
use crate::progress::Meter;

/// Bytes read in one go.
const BUFFER: usize = 256 * 1024;

/// How many small files are opened and announced to the kernel ahead of the one being read.
const AHEAD: usize = 8;

/// Looks at objects.
pub(super) struct Looker<'a> {
    users: Names,
    groups: Names,
    meter: &'a Meter,
}

/// What is known of an object now, and why something is not.
pub(super) struct Look {
    pub(super) facts: Facts,
    pub(super) error: Option<io::Error>,
}

impl<'a> Looker<'a> {
    /// Names of users and groups are read, from `/etc/passwd` and `/etc/group`, when `keywords`
    /// need them.
    pub(super) fn new(keywords: Keywords, meter: &'a Meter) -> Self {
        let names = |keyword, path| match keywords.contains(keyword) {
            true => Names::read(path),
            false => Names::default(),
        };
        let users = names(Keyword::Uname, "/etc/passwd");
        let groups = names(Keyword::Gname, "/etc/group");
        Self { users, groups, meter }
    }

    /// Looks at objects of one directory, at each for the keywords given with it.
    ///
    /// Files are opened only for digests, and the next few are announced to the kernel while one
    /// is read.
    pub(super) fn look(&self, dir: &Dir, objects: &[(&Object, Keywords)]) -> Vec<Look> {
        let mut looks: Vec<_> =
            objects.iter().map(|(object, k)| self.meta(dir, object, *k)).collect();
        let mut opened = VecDeque::with_capacity(AHEAD);
        let mut waiting = objects.iter().enumerate().filter(|(_, (object, keywords))| {
            object.file_type() == FileType::RegularFile && keywords.algorithms().next().is_some()
        });
        loop {
            while opened.len() < AHEAD {
                let Some((nth, (object, _))) = waiting.next() else { break };
                let file = open_file(&dir.fd, &object.name, &object.stat);
                if let Ok(file) = &file {
                    announce(file, &object.stat);
                }
                opened.push_back((nth, file));
            }
            let Some((nth, file)) = opened.pop_front() else { return looks };
            let (object, keywords) = objects[nth];
            match file.and_then(|file| self.digest(&file, &object.stat, keywords)) {
                Ok(digests) => looks[nth].facts.digests = digests,
                Err(error) => looks[nth].error = Some(error),
            }
        }
    }

    /// What can be known without opening the object.
    pub(super) fn of_stat(&self, stat: &Stat, keywords: Keywords) -> Facts {
        let mut facts = Facts { kind: Some(kind(stat)), ..Facts::default() };
        let known = |keyword| keywords.contains(keyword);
        facts.mode = known(Keyword::Mode).then_some(stat.st_mode as u16 & 0o7777);
        facts.uid = known(Keyword::Uid).then_some(stat.st_uid);
        facts.gid = known(Keyword::Gid).then_some(stat.st_gid);
        facts.nlink = u32::try_from(stat.st_nlink).ok().filter(|_| known(Keyword::Nlink));
        facts.size = u64::try_from(stat.st_size).ok().filter(|_| known(Keyword::Size));
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

    fn meta(&self, dir: &Dir, object: &Object, keywords: Keywords) -> Look {
        let mut facts = self.of_stat(&object.stat, keywords);
        let mut error = None;
        if keywords.contains(Keyword::Link) && object.file_type() == FileType::Symlink {
            match read_link(&dir.fd, &object.name) {
                Ok(target) => facts.rare_mut().link = Some(target),
                Err(fault) => error = Some(fault),
            }
        }
        let (all, acls) = (keywords.contains(Keyword::Xattr), keywords.contains(Keyword::Acl));
        if all || acls {
            match xattrs(&dir.fd, &object.name, |xattr| all || xattr.is_acl()) {
                Ok(xattrs) if xattrs.is_empty() => {}
                Ok(xattrs) => facts.rare_mut().xattrs = xattrs,
                Err(fault) => error = Some(fault),
            }
        }
        Look { facts, error }
    }

    /// All digests from one reading.
    fn digest(&self, file: &OwnedFd, before: &Stat, keywords: Keywords) -> io::Result<Digests> {
        thread_local!(static BYTES: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]));
        let mut hasher = Hasher::new(keywords.algorithms());
        let expected = u64::try_from(before.st_size).unwrap_or(0);
        BYTES.with_borrow_mut(|buffer| {
            let mut done = 0;
            // A file that gives as much as it said is not asked once more; whether it grew, its
            // size tells below.
            while done == 0 || done != expected {
                let length = rustix::io::retry_on_intr(|| rustix::io::read(file, &mut buffer[..]))?;
                if length == 0 {
                    break;
                }
                hasher.update(&buffer[..length]);
                self.meter.add(length as u64);
                done += length as u64;
            }
            let after = rustix::fs::fstat(file)?;
            let moment = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
            if moment(&after) != moment(before) {
                return Err(io::Error::other("it changed while it was read"));
            }
            Ok(hasher.finish())
        })
    }
}

/// Has the kernel read ahead.
fn announce(file: &OwnedFd, stat: &Stat) {
    let large = u64::try_from(stat.st_size).is_ok_and(|size| size > BUFFER as u64);
    let advice = if large { Advice::Sequential } else { Advice::WillNeed };
    // Advice only: what does not heed it is read all the same.
    let _ = rustix::fs::fadvise(file, 0, None, advice);
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

/// Extended attributes of an object of any kind, which is not opened: the name of its directory
/// under `/proc` leads to it, and the last step follows no link.
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
            // It went, or it is one of those that are listed and cannot be read.
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

/// Names by number.
#[derive(Default)]
struct Names(HashMap<u32, Arc<[u8]>>);

impl Names {
    /// Reads a file of lines `name:password:number:…`; one that is not there has no names.
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
