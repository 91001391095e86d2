//! `F.nncp.meta` on disk: what it says, and the names of the files around it.

use super::ReassError;
use crate::disk::DiskError;
use crate::disk::{self, Disk, Op};

use packmule_protocol::chunked::{CHUNK_INFIX, META_HEAD, META_SUFFIX, Meta};
use rustix::fs::{FlockOperation, flock};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Chunks that a file may have: their checksums are held in memory.
pub(super) const CHUNKS_MAX: u64 = 4 << 20;

/// Behind a description, where the reference looks no more: its chunks are gone and the file only
/// needs its name, or has it already.
const ASSEMBLED: &[u8] = b"\npackmule: assembled\n";

/// A description, locked while it is held.
#[derive(Debug)]
pub(crate) struct Description {
    /// What it says.
    pub meta: Meta,
    /// Whether all chunks are in the file already.
    pub(super) assembled: bool,
    path: PathBuf,
    /// The file's name.
    name: OsString,
    _lock: File,
}

impl Description {
    /// Reads the description at `path`. Nothing is allocated by what it says before that agrees
    /// with itself and with the bytes that are there.
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

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many chunks there are.
    pub(super) fn count(&self) -> u64 {
        self.meta.checksums.len() as u64
    }

    /// Where chunk `index` begins in the file; for the number of chunks, the file's size.
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

    /// Chunk number `index`.
    pub(super) fn chunk(&self, index: u64) -> PathBuf {
        self.sibling(&format!("{CHUNK_INFIX}{index}"))
    }

    /// The file while it grows.
    pub(super) fn growing(&self) -> PathBuf {
        self.sibling(".nncp.reass")
    }

    /// Notes for good that only the name is missing. A note that is there may not be on the disk.
    pub(super) fn mark_assembled(&self, disk: Disk) -> Result<(), DiskError> {
        let (file, len) = disk.open_writable(&self.path)?;
        let at = if self.assembled { len - ASSEMBLED.len() as u64 } else { len };
        disk.write_at(&file, &self.path, ASSEMBLED, at)?;
        disk.sync(&file, &self.path)
    }

    /// A path beside the description, spelled as it was.
    fn sibling(&self, suffix: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(suffix);
        self.path.with_file_name(name)
    }
}

/// The name that is left of a description's, if it is one that a file can have.
fn described(name: &OsStr) -> Option<&OsStr> {
    let name = name.as_bytes().strip_suffix(META_SUFFIX.as_bytes())?;
    (!matches!(name, b"" | b"." | b"..")).then(|| OsStr::from_bytes(name))
}

/// Reads as much as the description needs, and no more than there is.
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
