//! A name that is to be created, changed or removed: a path, or a name in an open directory.

use super::dir::OpenDir;
use rustix::fs::CWD;
use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A path, or a name in an open directory.
#[derive(Debug, Clone)]
pub(crate) struct At<'a> {
    dir: Option<Arc<OpenDir>>,
    name: Cow<'a, Path>,
}

/// The directory that a name is in.
#[derive(Debug, Clone)]
pub(crate) enum Directory {
    Path(PathBuf),
    Open(Arc<OpenDir>),
}

impl<'a> At<'a> {
    /// The name `name`, one component, in `dir`.
    pub(crate) fn new(dir: &Arc<OpenDir>, name: impl Into<Cow<'a, Path>>) -> Self {
        Self { dir: Some(Arc::clone(dir)), name: name.into() }
    }

    /// What system calls take: a descriptor, and a name that begins there.
    pub(super) fn parts(&self) -> (BorrowedFd<'_>, &Path) {
        (self.dir.as_ref().map_or(CWD, |dir| dir.as_fd()), &self.name)
    }

    /// The whole path, to be shown.
    pub(super) fn shown(&self) -> Cow<'_, Path> {
        match &self.dir {
            Some(dir) => dir.path().join(&self.name).into(),
            None => Cow::Borrowed(&self.name),
        }
    }

    pub(super) fn directory(&self) -> Directory {
        match &self.dir {
            Some(dir) => Directory::Open(Arc::clone(dir)),
            None => Directory::Path(parent(&self.name)),
        }
    }
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for At<'a> {
    fn from(path: &'a P) -> Self {
        Self { dir: None, name: path.as_ref().into() }
    }
}

impl From<PathBuf> for At<'_> {
    fn from(path: PathBuf) -> Self {
        Self { dir: None, name: path.into() }
    }
}

impl PartialEq for Directory {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(one), Self::Path(other)) => one == other,
            (Self::Open(one), Self::Open(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// The directory that a path is in.
pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("/"),
    }
}
