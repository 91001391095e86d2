//! Nothing half-done is visible: the one way in which files get their names.
//!
//! 1. A file is written without a name, or under one that readers skip: [`Temporary`].
//! 2. Its bytes are synced.
//! 3. It gets its name: in place of whatever has it, or the first that nothing has ([`first_free`]).
//! 4. If it had no name, it is synced again: its inode says now that it has one, which matters where
//!    there is no journal (`durable.rs`).
//! 5. Its directory is synced.
//!
//! Files that are published together are all synced before the first gets its name, and each
//! directory is synced once. A name that could not be made durable is taken back: whoever finds a file
//! under its name relies on it, and the next sync may succeed without having written it.

use super::at::{At, Directory};
use super::dir::OpenDir;
use super::error::{DiskError, Op, Result, at};
use super::ops::Disk;
use super::step::step;
use crate::random;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that has its name, which would not survive a power cut yet.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    name: At<'a>,
    before: Before<'a>,
    /// The file, if it was synced while it had no name.
    again: Option<File>,
    /// To be synced, from the one that the file is in upwards.
    dirs: Vec<Directory>,
}

/// What a file gets back if its new name can not be made durable.
#[derive(Debug)]
pub(crate) enum Before<'a> {
    /// It had no name that anybody looks for: it is removed.
    Nothing,
    /// It had this name. Whatever has it meanwhile is replaced.
    Name(At<'a>),
    /// It had this name. If something has it meanwhile, the file keeps the new one.
    NameIfFree(At<'a>),
    /// It had the very name: an earlier process gave it. It keeps it.
    Same,
}

impl<'a> Named<'a> {
    /// A file that has got the name `name`.
    pub(crate) fn new(name: impl Into<At<'a>>, before: Before<'a>) -> Self {
        let name = name.into();
        let dirs = vec![name.directory()];
        Self { name, before, again: None, dirs }
    }

    /// `file` was not synced since it has the name.
    pub(crate) fn unsynced(self, file: File) -> Self {
        Self { again: Some(file), ..self }
    }

    /// The directories above may be new too; the lowest first.
    pub(crate) fn with_dirs_above(mut self, dirs: impl IntoIterator<Item = Arc<OpenDir>>) -> Self {
        self.dirs.extend(dirs.into_iter().map(Directory::Open));
        self
    }
}

impl Disk {
    /// Publishes files together. `sync` waits for the bytes of one, and `name` gives it its name. What
    /// came of each, in their order.
    pub(crate) fn publish_all<'a, P, T>(
        self,
        files: impl IntoIterator<Item = P>,
        sync: impl Fn(&P) -> Result<()>,
        name: impl Fn(P) -> Result<(Named<'a>, T)>,
    ) -> Vec<Result<T>> {
        let synced: Vec<_> = files.into_iter().map(|file| (sync(&file), file)).collect();
        let named: Vec<_> = synced
            .into_iter()
            .map(|(synced, file)| {
                let (named, about) = synced.and_then(|()| name(file))?;
                self.sync_again(&named)?;
                Ok((named, about))
            })
            .collect();
        let failed = self.sync_dirs(named.iter().flatten().flat_map(|(named, _)| &named.dirs));
        let settled = |(named, about): (Named<'_>, T)| match failed
            .iter()
            .find(|(dir, _)| named.dirs.contains(dir))
        {
            Some((_, error)) => {
                self.take_back(&named);
                Err(error.again())
            }
            None => Ok(about),
        };
        named.into_iter().map(|named| named.and_then(settled)).collect()
    }

    /// Publishes one file, whose bytes are synced already: `name` gives it its name.
    pub(crate) fn publish<'a, T>(self, name: impl FnOnce() -> Result<(Named<'a>, T)>) -> Result<T> {
        let mut published = self.publish_all([name], |_| Ok(()), |name| name());
        published.pop().expect("one for one")
    }

    fn sync_again(self, named: &Named<'_>) -> Result<()> {
        let Some(file) = &named.again else { return Ok(()) };
        self.sync(file, &named.name.shown()).inspect_err(|_| self.take_back(named))
    }

    /// Syncs each directory once. Those that failed.
    fn sync_dirs<'d>(
        self,
        dirs: impl Iterator<Item = &'d Directory>,
    ) -> Vec<(Directory, DiskError)> {
        let mut synced: Vec<(&Directory, Result<()>)> = Vec::new();
        for dir in dirs {
            // Those of one directory mostly follow one another.
            if !synced.iter().rev().any(|(other, _)| *other == dir) {
                synced.push((dir, self.sync_directory(dir)));
            }
        }
        synced.into_iter().filter_map(|(dir, synced)| Some((dir.clone(), synced.err()?))).collect()
    }

    fn sync_directory(self, dir: &Directory) -> Result<()> {
        match dir {
            Directory::Path(path) => self.sync_dir(path),
            Directory::Open(dir) => self.sync_open_dir(dir),
        }
    }

    /// Takes a name away that is not durable. If that fails too, the disk accepts nothing any more; or
    /// somebody has used the file and removed it meanwhile.
    fn take_back(self, Named { name, before, .. }: &Named<'_>) {
        let _ = match before {
            Before::Nothing => self.remove(name.clone()),
            Before::Name(before) => self.rename(name.clone(), before.clone()),
            Before::NameIfFree(before) => self.rename_new(name.clone(), before.clone()),
            Before::Same => Ok(()),
        };
    }
}

/// Tries `name`, `name.0`, `name.1`, …, until `attempt` finds one that nothing has yet.
pub(crate) fn first_free<T>(
    name: &OsStr,
    mut attempt: impl FnMut(&OsStr) -> Result<T>,
) -> Result<T> {
    let mut tried: OsString = name.to_owned();
    let mut number = 0_u64;
    loop {
        match attempt(&tried) {
            Err(error) if error.cause.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
        tried = name.to_owned();
        tried.push(format!(".{number}"));
        number += 1;
    }
}

/// A file in the making. Dropped before it got its name, it vanishes.
#[derive(Debug)]
pub(crate) struct Temporary {
    /// The content.
    pub(crate) file: File,
    disk: Disk,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is left of it after a crash.
    Nameless,
    /// It has a name that readers skip.
    Named(At<'static>),
    Published,
}

impl Temporary {
    /// Makes a file under a name that readers skip.
    pub(crate) fn named(disk: Disk, name: impl Into<At<'static>>) -> Result<Self> {
        let name = name.into();
        Ok(Self { file: disk.create_new(name.clone())?, disk, state: State::Named(name) })
    }

    /// Makes a file without a name, or where the file system can not, under one that begins with
    /// `prefix`.
    pub(crate) fn nameless(disk: Disk, dir: &Arc<OpenDir>, prefix: &str) -> Result<Self> {
        // Without /proc there is no way to name it later.
        if Path::new("/proc/self/fd").exists()
            && let Ok(fd) = tmpfile(dir)
        {
            return Ok(Self { file: fd.into(), disk, state: State::Nameless });
        }
        let random = at(Op::Create, dir.path(), random::number().map_err(io::Error::from))?;
        Self::named(disk, At::new(dir, PathBuf::from(format!("{prefix}{random:x}"))))
    }

    /// Waits for its bytes.
    pub(crate) fn sync(&self) -> Result<()> {
        match &self.state {
            State::Named(name) => self.disk.sync(&self.file, &name.shown()),
            State::Nameless | State::Published => {
                self.disk.sync(&self.file, Path::new("a new file"))
            }
        }
    }

    /// Gives it a name, in place of whatever has it.
    pub(crate) fn rename<'a>(mut self, to: impl Into<At<'a>>) -> Result<Named<'a>> {
        let to = to.into();
        if let State::Named(from) = &self.state {
            self.disk.rename(from.clone(), to.clone())?;
        }
        self.state = State::Published;
        Ok(Named::new(to, Before::Nothing))
    }

    /// Gives it a name that nothing has yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something has it.
    pub(crate) fn link<'a>(&mut self, to: impl Into<At<'a>>) -> Result<Named<'a>> {
        let to = to.into();
        match &self.state {
            State::Named(from) => self.disk.rename_new(from.clone(), to.clone())?,
            State::Nameless | State::Published => link(&self.file, &to)?,
        }
        let file = at(Op::Link, &to.shown(), self.file.try_clone())?;
        self.state = State::Published;
        Ok(Named::new(to, Before::Nothing).unsynced(file))
    }
}

fn tmpfile(dir: &OpenDir) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::TMPFILE;
    openat(dir, ".", flags, Mode::from_raw_mode(0o666))
}

fn link(file: &File, to: &At<'_>) -> Result<()> {
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    let (dir, name) = to.parts();
    let linked = || Ok(linkat(CWD, from, dir, name, AtFlags::SYMLINK_FOLLOW)?);
    at(Op::Link, &to.shown(), step().and_then(|()| linked()))
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let State::Named(name) = &self.state {
            let _ = self.disk.remove(name.clone());
        }
    }
}
