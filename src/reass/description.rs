//! `F.nncp.meta` on disk: its contents, and the names of the files beside it.

use super::error::{CHUNKS_MAX, ReassError};
use crate::disk::{self, Disk, DiskError, Op};
use packmule_protocol::chunked::{CHUNK_INFIX, META_HEAD, META_SUFFIX, Meta};
use rustix::fs::{FlockOperation, flock};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Mark at the end of a description, which the reference ignores. It means: the chunks are removed,
/// and the file needs only its name, or has it already.
const ASSEMBLED: &[u8] = b"\npackmule: assembled\n";

/// An open description. It is locked until dropped.
#[derive(Debug)]
pub(crate) struct Description {
    /// Its contents.
    pub meta: Meta,
    /// True if the file already holds all chunks.
    pub(super) assembled: bool,
    path: PathBuf,
    /// The file's name.
    name: OsString,
    _lock: File,
}

impl Description {
    /// Reads the description at `path`. Allocates memory for its numbers only once they agree with
    /// each other and with the length of the file.
    pub(super) fn open(path: &Path) -> Result<Self, ReassError> {
        let (file, metadata) = disk::open_regular_path(path).map_err(ReassError::Open)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::AGAIN) {
            return Err(ReassError::Busy);
        }
        let failed = |cause: io::Error| DiskError { op: Op::Read, path: path.to_owned(), cause };
        let meta = read(&file, metadata.len()).map_err(failed)??;
        let assembled = ends_in_mark(&file, metadata.len()).map_err(failed)?;
        let name = path.file_name().and_then(described).ok_or(ReassError::Suffix)?.to_owned();
        Ok(Self { meta, assembled, path: path.to_owned(), name, _lock: file })
    }

    /// The name of the file it describes.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of chunks.
    pub(super) fn count(&self) -> u64 {
        self.meta.checksums.len() as u64
    }

    /// Offset of chunk `index` in the file. For `count()`, the size of the file.
    pub(super) fn offset(&self, index: u64) -> u64 {
        index.saturating_mul(self.meta.chunk_size).min(self.meta.file_size)
    }

    /// The directory of all these files.
    pub(super) fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        }
    }

    /// The path of chunk number `index`.
    pub(super) fn chunk(&self, index: u64) -> PathBuf {
        self.sibling(&format!("{CHUNK_INFIX}{index}"))
    }

    /// The path of the growing file.
    pub(super) fn growing(&self) -> PathBuf {
        self.sibling(".nncp.reass")
    }

    /// Marks durably that only the name is missing. Also syncs an existing mark, which may not be on
    /// disk.
    pub(super) fn mark_assembled(&self, disk: Disk) -> Result<(), DiskError> {
        let (file, len) = disk.open_writable(&self.path)?;
        let at = if self.assembled { len - ASSEMBLED.len() as u64 } else { len };
        disk.write_at(&file, &self.path, ASSEMBLED, at)?;
        disk.sync(&file, &self.path)
    }

    /// A path beside the description: the file's name with `suffix`.
    fn sibling(&self, suffix: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(suffix);
        self.path.with_file_name(name)
    }
}

/// The file's name: the description's name without its suffix. `None` if no file can have it.
fn described(name: &OsStr) -> Option<&OsStr> {
    let name = name.as_bytes().strip_suffix(META_SUFFIX.as_bytes())?;
    (!matches!(name, b"" | b"." | b"..")).then(|| OsStr::from_bytes(name))
}

/// Reads the description, at most `len` bytes.
fn read(file: &File, len: u64) -> io::Result<Result<Meta, ReassError>> {
    let mut bytes = Vec::with_capacity(META_HEAD);
    file.take(META_HEAD as u64).read_to_end(&mut bytes)?;
    let count = bytes.last_chunk().map_or(0, |count| u32::from_be_bytes(*count));
    let checksums = (32 * u64::from(count)).min(len);
    if checksums > 32 * CHUNKS_MAX {
        return Ok(Err(ReassError::TooMany));
    }
    file.take(checksums).read_to_end(&mut bytes)?;
    Ok(Meta::from_bytes(&bytes).map_err(ReassError::from))
}

fn ends_in_mark(file: &File, len: u64) -> io::Result<bool> {
    let mut end = [0; ASSEMBLED.len()];
    let Some(at) = len.checked_sub(ASSEMBLED.len() as u64) else { return Ok(false) };
    file.read_exact_at(&mut end, at)?;
    Ok(end == ASSEMBLED)
}
