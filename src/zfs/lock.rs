//! One lock a dataset, over all processes of this machine.

use rustix::fs::{Access, FlockOperation, Mode, OFlags, access, flock};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where every user may have a directory: the first that we can write to. A service has a `/tmp` of
/// its own, and would not see what is locked from a shell.
const PLACES: [&str; 2] = ["/run/lock", "/tmp"];

/// The directory of lock files.
#[derive(Debug, Clone)]
pub struct Locks(PathBuf);

/// A held lock; dropping it lets it go.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A child that another thread is just starting has the file open too, until it runs its
        // program, and closing ours would leave it locked.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl Locks {
    /// Lock files in this directory, which is made when missing.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// The directory of this user.
    pub fn of_user() -> Self {
        let user = rustix::process::geteuid();
        if user.is_root() {
            return Self::new("/run/packmule-zfs");
        }
        Self::new(first_writable(&PLACES).join(format!("packmule-zfs-{}", user.as_raw())))
    }

    /// A path for something that belongs to whoever holds the lock of this name. The directory it is
    /// in is there once a lock was taken, and only this user can enter it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.0.join(format!("{}+mount", name.replace('/', ",")))
    }

    /// Takes the lock of this name; `None` when another process holds it.
    ///
    /// # Errors
    /// Those of the file system, and when the directory is somebody else's.
    pub fn take(&self, name: &str) -> io::Result<Option<Lock>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let stat = rustix::fs::lstat(&self.0)?;
        let ours = stat.st_uid == rustix::process::geteuid().as_raw();
        if !ours || !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir() {
            let text = format!("{} is not our directory", self.0.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        // A slash is legal in a dataset's name, and "," is not.
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

/// The first of these directories that can be written to; the last if there is none, so that it is
/// named when that fails.
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
