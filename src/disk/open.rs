//! Opens and lists regular files, and rejects everything else.

use super::error::{Op, Result, at};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use std::fs::{File, FileType, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// The path does not name a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a regular file")]
pub(crate) struct NotRegular;

/// Opens a regular file for reading. Rejects everything else: follows no link, does not block on a
/// FIFO, touches no device.
///
/// # Errors
/// [`NotRegular`] inside of the error, or those of the disk.
pub(crate) fn open_regular(dir: impl AsFd, name: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(dir, name, flags, Mode::empty()) {
        Err(Errno::LOOP | Errno::NXIO) => return Err(io::Error::other(NotRegular)),
        other => File::from(other?),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other(NotRegular));
    }
    Ok((file, metadata))
}

/// [`open_regular`] by its path alone.
///
/// # Errors
/// The same.
pub(crate) fn open_regular_path(path: &Path) -> Result<(File, Metadata)> {
    at(Op::Open, path, open_regular(CWD, path))
}

/// The regular files of a directory, in directory order. Empty if it does not exist.
///
/// # Errors
/// Those of the disk.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    entries(dir, |kind| kind.is_file())
}

/// The entries of a directory that are of the wanted kinds.
///
/// # Errors
/// Those of the disk.
pub(crate) fn entries(dir: &Path, wanted: impl Fn(FileType) -> bool) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => at(Op::Read, dir, other)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = at(Op::Read, dir, entry)?;
        if wanted(at(Op::Stat, &entry.path(), entry.file_type())?) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::FileType;

    #[test]
    fn w19_special_files_are_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| dir.path().join(name);
        rustix::fs::mknodat(CWD, path("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
        std::fs::create_dir(path("dir")).unwrap();
        for name in ["fifo", "link", "dir"] {
            let error = open_regular_path(&path(name)).unwrap_err();
            assert!(error.to_string().ends_with("is not a regular file"), "{name}: {error}");
        }
    }

    #[test]
    fn errors_read_like_the_references() {
        let error = open_regular_path(Path::new("/nonexistent")).unwrap_err();
        assert_eq!(error.to_string(), "open /nonexistent: no such file or directory");
    }
}
