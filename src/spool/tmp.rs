//! Files under `tmp/`. Each is either renamed to its final name or removed.

use super::{Spool, unfinished};
use crate::disk::{Disk, DiskError, Op, Result, WriteOut};
use crate::log::event;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Prefix of temporary files, also of the reference's.
pub(super) const PREFIX: &str = "nncp";
/// Number of digits after the prefix in our names. The reference's names have fewer.
pub(super) const DIGITS: usize = 32;

/// A temporary file. Dropping it removes it.
#[derive(Debug)]
pub(super) struct TmpFile {
    /// The open file. It is locked unless it belongs to a batch. `None`: a file of a batch, closed.
    file: Option<File>,
    path: PathBuf,
    disk: Disk,
    out: WriteOut,
    named: bool,
    batch: Option<Batch>,
}

/// Temporary files that are published all or none. A batch needs only one open file: `nncpDIGITS`,
/// whose lock also protects all files `nncpDIGITS.NUMBER`.
#[derive(Debug, Clone)]
pub(crate) struct Batch(Arc<Leader>);

#[derive(Debug)]
struct Leader {
    tmp: TmpFile,
    members: AtomicU64,
}

impl Spool {
    /// Starts a batch.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn batch(&self) -> Result<Batch> {
        Ok(Batch(Arc::new(Leader { tmp: self.tmp_file()?, members: AtomicU64::new(0) })))
    }

    /// Creates a file under `tmp/`. Locks it, so that other processes see that it is in use.
    pub(super) fn tmp_file(&self) -> Result<TmpFile> {
        let dir = self.tmp_dir();
        self.ensure_dir(&dir)?;
        loop {
            match self.create_tmp(dir.join(unique_name()), None) {
                Err(error) if error.cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(tmp) => {
                    // On a file system without locks, other processes detect stale files by age alone.
                    let _ = tmp
                        .file
                        .as_ref()
                        .map(|file| flock(file, FlockOperation::NonBlockingLockExclusive));
                    return Ok(tmp);
                }
            }
        }
    }

    /// Creates a file of `batch` under `tmp/`.
    pub(super) fn tmp_file_of(&self, batch: &Batch) -> Result<TmpFile> {
        let Leader { tmp, members } = &*batch.0;
        let number = members.fetch_add(1, Ordering::Relaxed);
        self.create_tmp(tmp.path.with_extension(number.to_string()), Some(batch.clone()))
    }

    fn create_tmp(&self, path: PathBuf, batch: Option<Batch>) -> Result<TmpFile> {
        let disk = self.disk();
        let file = Some(unfinished::create(&path, || self.create_new(&path))?);
        self.log().debug(|| event::tmp(&path));
        Ok(TmpFile { file, path, disk, out: WriteOut::default(), named: false, batch })
    }

    /// Creates a file without a name, for reading and writing. Closing it removes it. For content
    /// that is too large for memory and only needed temporarily.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn scratch(&self) -> Result<File> {
        let mut tmp = self.tmp_file()?;
        unfinished::leave(&tmp.path, || tmp.disk.remove(&tmp.path))?;
        tmp.named = true;
        let gone = || DiskError {
            op: Op::Create,
            path: tmp.path.clone(),
            cause: io::ErrorKind::NotFound.into(),
        };
        tmp.file.take().ok_or_else(gone)
    }
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let nanos = nanos & u128::from(u64::MAX);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff;
    format!("{PREFIX}{nanos:016x}{:012x}{count:04x}", std::process::id())
}

/// The name of the leader file, if `name` belongs to a batch.
pub(super) fn leader(name: &str) -> Option<&str> {
    let (leader, number) = name.split_once('.')?;
    let digits = leader.strip_prefix(PREFIX)?;
    let is_member = digits.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    is_member.then_some(leader)
}

impl TmpFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let file = self.file.as_ref().ok_or_else(|| closed(&self.path))?;
        self.disk.write(file, &self.path, bytes)?;
        self.out.grown(self.disk, file, bytes.len() as u64);
        Ok(())
    }

    /// Lets the disk start to write all of it, for a later [`sync`](Self::sync).
    pub(super) fn write_out(&mut self) {
        if let Some(file) = &self.file {
            self.out.rest(self.disk, file);
        }
    }

    /// Waits until its bytes are on disk. Does nothing for a closed file, which is already synced.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| self.disk.sync(file, &self.path))
    }

    /// Syncs it. Closes it if it belongs to a batch, whose lock protects it.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.sync()?;
        if self.batch.is_some() {
            self.file = None;
        }
        Ok(())
    }

    /// Renames the file to its final name. Replaces an existing file.
    pub(super) fn rename(mut self, to: &Path) -> std::result::Result<(), (Self, DiskError)> {
        match unfinished::leave(&self.path, || self.disk.rename(&self.path, to)) {
            Ok(()) => {
                self.named = true;
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }
}

fn closed(path: &Path) -> DiskError {
    let cause = io::Error::other("it is closed");
    DiskError { op: Op::Write, path: path.to_owned(), cause }
}

impl Drop for TmpFile {
    fn drop(&mut self) {
        if !self.named {
            // A drop cannot report errors. A later toss removes the file as stale.
            let _ = unfinished::leave(&self.path, || self.disk.remove(&self.path));
        }
    }
}
