//! The directory of a medium, and a check that a medium is mounted there.

use crate::disk::OpenDir;
use rustix::fs::{AtFlags, StatxFlags, fstat, statx};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

/// The open directory of a medium. While it is open, it cannot be unmounted, and another mount on
/// top of it has no effect.
#[derive(Debug)]
pub struct Medium {
    root: Arc<OpenDir>,
}

/// A directory of this machine that is on the same file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shared {
    /// The root directory.
    Root,
    /// The spool.
    Spool,
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "/",
            Self::Spool => "the spool",
        })
    }
}

impl Medium {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// It does not exist, is not a directory, or cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = OpenDir::open(path).map_err(|error| error.cause)?;
        Ok(Self { root: Arc::new(root) })
    }

    /// Its path, as it was given.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// The directory.
    pub(crate) fn root(&self) -> &Arc<OpenDir> {
        &self.root
    }

    /// Returns whether `/` or the spool is on the medium's file system, also through bind mounts and
    /// subvolumes. Then no removable medium is mounted there.
    pub(crate) fn shared_with(&self, spool: &Path) -> Option<Shared> {
        let own = FileSystem::of(&*self.root)?;
        let is_own = |path| {
            let other = OpenDir::open(path).ok().and_then(FileSystem::of);
            other.is_some_and(|other| own.is(&other))
        };
        if is_own(Path::new("/")) {
            return Some(Shared::Root);
        }
        // A missing spool will be created on the file system of its first existing ancestor.
        let there = spool.ancestors().map(here_if_empty).find(|path| path.is_dir())?;
        is_own(there).then_some(Shared::Spool)
    }
}

/// Converts the empty parent of a relative path to `.`.
fn here_if_empty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Identifies a file system by device number and source. Subvolumes of btrfs and datasets of a ZFS
/// pool have different device numbers, but the same source.
#[derive(Debug, PartialEq, Eq)]
struct FileSystem {
    device: u64,
    source: Option<String>,
}

impl FileSystem {
    fn of(dir: impl AsFd) -> Option<Self> {
        let device = fstat(&dir).ok()?.st_dev;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let source = mount_id(dir).and_then(|id| source(&mounts, id));
        Some(Self { device, source })
    }

    fn is(&self, other: &Self) -> bool {
        self.device == other.device || self.source.is_some() && self.source == other.source
    }
}

fn mount_id(dir: impl AsFd) -> Option<u64> {
    let found = statx(dir, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    let known = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::MNT_ID);
    known.then_some(found.stx_mnt_id)
}

/// The block device or the pool of a mount, from the lines of proc(5)'s `mountinfo`.
fn source(mounts: &str, id: u64) -> Option<String> {
    let id = id.to_string();
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(&id))?;
    let (_, behind) = line.split_once(" - ")?;
    let mut fields = behind.split(' ');
    let (kind, source) = (fields.next()?, fields.next()?);
    match kind {
        "zfs" => source.split('/').next().map(|pool| format!("pool {pool}")),
        _ => source.starts_with('/').then(|| source.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 0:30 /root / rw,relatime shared:1 - btrfs /dev/sda2 rw,subvolid=256
23 22 0:31 /home /home rw shared:2 master:3 - btrfs /dev/sda2 rw,subvolid=257
24 22 0:40 / /tank rw - zfs tank/data rw
25 22 0:41 / /tank/x rw - zfs tank/x rw
26 22 8:17 / /media/stick rw - vfat /dev/sdb1 rw
27 22 0:50 / /run rw - tmpfs tmpfs rw
";

    #[test]
    fn subvolumes_and_datasets_come_from_one_place() {
        let of = |id| source(MOUNTS, id);
        assert_eq!(of(22).as_deref(), Some("/dev/sda2"));
        assert_eq!(of(22), of(23));
        assert_eq!(of(24).as_deref(), Some("pool tank"));
        assert_eq!(of(24), of(25));
        assert_eq!(of(26).as_deref(), Some("/dev/sdb1"));
        // Different tmpfs mounts have the same source name, so it does not identify them.
        assert_eq!(of(27), None);
        assert_eq!(of(2), None);
    }

    #[test]
    fn a_directory_beside_the_spool_is_on_its_file_system() {
        let dir = tempfile::tempdir().unwrap();
        let spool = dir.path().join("not/there/yet");
        let medium = Medium::open(dir.path()).unwrap();
        assert!(medium.shared_with(&spool).is_some());
        let memory = Medium::open(Path::new("/proc")).unwrap();
        assert_eq!(memory.shared_with(&spool), None);
    }
}
