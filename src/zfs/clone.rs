//! A temporary clone of a snapshot, mounted read-only in a private directory and destroyed after
//! use.

use super::command::{Zfs, ZfsError};
use super::lock::{Lock, Locks};
use super::name::{Dataset, NameError, check_snapshot};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Marks a clone as made by packmule. The process that holds the clone's lock may destroy it.
const MARK: &str = "packmule:clone";
/// How often, and at which interval, the clone is destroyed again while its mount is busy.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// A clone of a snapshot, mounted read-only. Dropped, it is destroyed.
#[derive(Debug)]
pub(crate) struct TemporaryClone {
    zfs: Zfs,
    name: Dataset,
    directory: PathBuf,
    /// `zfs clone` was run, and the clone is not destroyed yet.
    is_there: bool,
    /// Released only after the clone is destroyed.
    _lock: Lock,
}

/// Why the snapshot could not be cloned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloneError {
    /// Another process is using this clone.
    #[error("{0} is in use by another process")]
    Busy(Dataset),
    /// A dataset of this name exists that packmule did not make.
    #[error("{0} exists, and packmule did not make it")]
    Foreign(Dataset),
    /// The clone exists, but is not mounted in its directory.
    #[error("{name} is not mounted at {}", directory.display())]
    NotMounted {
        /// The clone.
        name: Dataset,
        /// The directory where it should be mounted.
        directory: PathBuf,
    },
    /// The clone's name would not be a legal name of a dataset.
    #[error(transparent)]
    Name(#[from] NameError),
    /// `zfs` failed.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// The lock could not be taken.
    #[error("locking the clone: {0}")]
    Locks(#[from] io::Error),
}

impl TemporaryClone {
    /// Clones a snapshot as a sibling of its dataset, and mounts the clone in a directory that only
    /// this user can enter. Destroys a clone that an earlier run left.
    ///
    /// # Errors
    /// If the snapshot does not exist, or cannot be cloned and mounted. The clone is destroyed
    /// then.
    pub(crate) fn new(
        zfs: &Zfs,
        dataset: &Dataset,
        snapshot: &str,
        locks: &Locks,
    ) -> Result<Self, CloneError> {
        check_snapshot(snapshot)?;
        let name = name_of_clone(dataset)?;
        let lock = locks.take(name.as_str())?.ok_or_else(|| CloneError::Busy(name.clone()))?;
        let directory = locks.path_for(name.as_str());
        let mut clone = Self { zfs: zfs.clone(), name, directory, is_there: false, _lock: lock };
        clone.destroy_stale()?;
        // `zfs clone` can make the clone and then fail to mount it, so it must be destroyed either
        // way.
        clone.is_there = true;
        let mountpoint = format!("mountpoint={}", clone.directory.display());
        let mark = format!("{MARK}=on");
        let properties =
            ["readonly=on", "exec=off", "setuid=off", "devices=off", "com.sun:auto-snapshot=false"];
        let properties = properties.into_iter().chain([&*mountpoint, &mark]);
        let mut args = vec!["clone"];
        args.extend(properties.flat_map(|property| ["-o", property]));
        let origin = format!("{dataset}@{snapshot}");
        args.extend([&origin, clone.name.as_str()]);
        clone.zfs.ask(&args)?;
        if !clone.is_mounted()? {
            let (name, directory) = (clone.name.clone(), clone.directory.clone());
            return Err(CloneError::NotMounted { name, directory });
        }
        Ok(clone)
    }

    /// The directory where the clone is mounted.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The clone's name, for messages.
    pub(crate) fn name(&self) -> &Dataset {
        &self.name
    }

    /// Destroys the clone.
    ///
    /// # Errors
    /// If the clone could not be destroyed. The next run destroys it.
    pub(crate) fn destroy(mut self) -> Result<(), ZfsError> {
        self.remove()
    }

    fn destroy_stale(&mut self) -> Result<(), CloneError> {
        let args = ["get", "-H", "-o", "value,source", MARK, self.name.as_str()];
        match self.zfs.ask(&args) {
            Err(error) if error.is_absent() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(answer) if answer.trim() == "on\tlocal" => {
                self.is_there = true;
                Ok(self.remove()?)
            }
            Ok(_) => Err(CloneError::Foreign(self.name.clone())),
        }
    }

    /// Without this check, an empty directory would be compared as a tree that lacks every file.
    fn is_mounted(&self) -> io::Result<bool> {
        let above = self.directory.parent().unwrap_or(Path::new("/"));
        Ok(std::fs::metadata(&self.directory)?.dev() != std::fs::metadata(above)?.dev())
    }

    fn remove(&mut self) -> Result<(), ZfsError> {
        if !self.is_there {
            return Ok(());
        }
        // Another program, such as a snapshot timer, may have made snapshots of the clone: hence
        // -r.
        let args = ["destroy", "-rf", self.name.as_str()];
        let mut tries = 1;
        loop {
            match self.zfs.ask(&args) {
                Ok(_) => break,
                Err(error) if error.is_absent() => break,
                Err(error) if tries == TRIES => return Err(error),
                // A mount that is being removed keeps the clone busy for a moment.
                Err(_) => std::thread::sleep(PAUSE),
            }
            tries += 1;
        }
        self.is_there = false;
        // The directory may never have been made. If it stays, it is empty and does no harm.
        let _ = std::fs::remove_dir(&self.directory);
        Ok(())
    }
}

impl Drop for TemporaryClone {
    fn drop(&mut self) {
        // If this fails, the next run destroys the clone.
        let _ = self.remove();
    }
}

/// The clone is a sibling of its dataset, because no stream is received there.
fn name_of_clone(dataset: &Dataset) -> Result<Dataset, NameError> {
    let text = match dataset.as_str().rsplit_once('/') {
        Some((parent, last)) => format!("{parent}/packmule-clone-{last}"),
        None => format!("{dataset}/packmule-clone"),
    };
    Dataset::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A fake `zfs` that records its arguments and then runs `script`.
    fn fake(dir: &Path, script: &str) -> Zfs {
        let program = dir.join("zfs");
        let log = dir.join("asked");
        let text = format!("#!/bin/sh\necho \"$@\" >> {}\n{script}\n", log.display());
        fs::write(&program, text).unwrap();
        // Started through a shell: a child of another test may still have the file open for
        // writing, and then the kernel does not execute it (ETXTBSY).
        Zfs::new(&["/bin/sh".to_owned()], program.to_str()).unwrap()
    }

    fn asked(dir: &Path) -> Vec<String> {
        let text = fs::read_to_string(dir.join("asked")).unwrap();
        text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    fn clone_with(script: &str) -> (Result<(), CloneError>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let zfs = fake(dir.path(), script);
        let locks = Locks::new(dir.path().join("locks"));
        let dataset = Dataset::parse("tank/b/laptop").unwrap();
        let clone = TemporaryClone::new(&zfs, &dataset, "s1", &locks);
        (clone.map(drop), asked(dir.path()))
    }

    const ABSENT: &str = "get) echo \"cannot open: dataset does not exist\" >&2; exit 1;;";

    #[test]
    fn a_clone_that_is_made_and_cannot_be_mounted_is_destroyed() {
        let (clone, asked) =
            clone_with(&format!("case $1 in {ABSENT} clone) echo busy >&2; exit 1;; esac"));
        assert!(matches!(clone, Err(CloneError::Zfs(_))));
        assert_eq!(asked, ["get", "clone", "destroy"]);
    }

    #[test]
    fn a_directory_that_nothing_is_mounted_on_is_not_looked_at() {
        let script = format!(
            "case $1 in {ABSENT} clone) for word; do case $word in \
             mountpoint=*) mkdir \"${{word#*=}}\";; esac; done;; esac"
        );
        let (clone, asked) = clone_with(&script);
        assert!(matches!(clone, Err(CloneError::NotMounted { .. })), "{clone:?}");
        assert_eq!(asked, ["get", "clone", "destroy"]);
    }

    #[test]
    fn what_an_earlier_run_left_is_destroyed_and_what_others_made_is_not() {
        let (_, asked) =
            clone_with("case $1 in get) printf 'on\\tlocal\\n';; clone) exit 1;; esac");
        assert_eq!(asked, ["get", "destroy", "clone", "destroy"]);
        for answer in ["-\\t-\\n", "on\\tinherited from tank\\n"] {
            let (clone, asked) = clone_with(&format!("printf '%b' '{answer}'"));
            assert!(matches!(clone, Err(CloneError::Foreign(_))));
            assert_eq!(asked, ["get"]);
        }
    }

    #[test]
    fn a_clone_lies_beside_its_dataset() {
        let name = |text| name_of_clone(&Dataset::parse(text).unwrap()).unwrap().to_string();
        assert_eq!(name("tank/b/laptop"), "tank/b/packmule-clone-laptop");
        assert_eq!(name("tank"), "tank/packmule-clone");
        let long = Dataset::parse(&format!("tank/{}", "x".repeat(250))).unwrap();
        assert!(name_of_clone(&long).is_err());
    }
}
