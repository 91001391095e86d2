//! One lock per dataset, shared by all processes of this machine.

use rustix::fs::{Access, FlockOperation, Mode, OFlags, access, flock};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Directories in which every user may make a subdirectory; the first writable one is used. `/tmp`
/// is the second choice: a service may have a private one, and then a shell does not see its locks.
const PLACES: [&str; 2] = ["/run/lock", "/tmp"];

/// The directory of lock files.
#[derive(Debug, Clone)]
pub struct Locks(PathBuf);

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing our descriptor is not enough: another thread may be starting a child, which holds
        // a copy of the descriptor until its exec.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl Locks {
    /// Keeps lock files in this directory, and makes it if it is missing.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// The lock directory of this user.
    pub fn of_user() -> Self {
        let user = rustix::process::geteuid();
        if user.is_root() {
            return Self::new("/run/packmule-zfs");
        }
        Self::new(first_writable(&PLACES).join(format!("packmule-zfs-{}", user.as_raw())))
    }

    /// A path that belongs to the holder of the lock of this name. Its directory exists once a lock
    /// was taken, and only this user can enter it.
    pub fn path_for(&self, name: &str) -> PathBuf {
        self.0.join(format!("{}+mount", name.replace('/', ",")))
    }

    /// Takes the lock of this name; `None` if another process holds it.
    ///
    /// # Errors
    /// Those of the file system, and if the directory belongs to another user.
    pub fn take(&self, name: &str) -> io::Result<Option<Lock>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let stat = rustix::fs::lstat(&self.0)?;
        let ours = stat.st_uid == rustix::process::geteuid().as_raw();
        if !ours || !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir() {
            let text = format!("{} belongs to another user", self.0.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        // "/" is legal in a dataset's name and illegal in a file's; "," is the other way round.
        let path = self.0.join(name.replace('/', ","));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The first of these directories that is writable; otherwise the last, so that the error names it.
fn first_writable<'a>(places: &[&'a str]) -> &'a Path {
    let is_writable = |place: &&&str| access(**place, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let place = places.iter().find(is_writable).or(places.last()).copied();
    Path::new(place.expect("there are places"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_can_not_be_written_to_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let there = directory.path().to_str().unwrap();
        assert_eq!(first_writable(&["/nowhere", there, "/tmp"]), directory.path());
        assert_eq!(first_writable(&["/nowhere", "/nowhere/else"]), Path::new("/nowhere/else"));
    }

    #[test]
    fn a_held_lock_is_busy_and_a_dropped_one_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks::new(directory.path().join("locks"));
        let held = locks.take("tank/a").unwrap();
        assert!(held.is_some());
        assert!(locks.take("tank/a").unwrap().is_none());
        assert!(locks.take("tank/b").unwrap().is_some());
        drop(held);
        assert!(locks.take("tank/a").unwrap().is_some());
    }
}
