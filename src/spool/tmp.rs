//! Files under `tmp/`: they get a name by being renamed, or vanish.

use super::{
    Spool,
    disk::{Disk, DiskError, Op, Result, WriteOut},
};
use crate::log::event;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// How our temporary files begin, and the reference's.
pub(super) const PREFIX: &str = "nncp";
/// Digits behind the prefix in ours. The reference has fewer.
pub(super) const DIGITS: usize = 32;

/// A file without a name of its own. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct TmpFile {
    pub(super) file: File,
    path: PathBuf,
    disk: Disk,
    out: WriteOut,
    named: bool,
}

impl Spool {
    /// Creates a file under `tmp/`. It is locked, by which others see that it is in use.
    pub(super) fn tmp_file(&self) -> Result<TmpFile> {
        let dir = self.tmp_dir();
        self.ensure_dir(&dir)?;
        loop {
            let path = dir.join(unique_name());
            match self.create_new(&path) {
                Err(error) if error.cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    // Where locks do not work, age alone tells what is stale.
                    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                    self.log().debug(|| event::tmp(&path));
                    let (disk, out) = (self.disk(), WriteOut::default());
                    return Ok(TmpFile { file, path, disk, out, named: false });
                }
            }
        }
    }
}

impl Spool {
    /// A file without a name, for reading and writing, gone when it is closed: for content that is
    /// too large for memory and must not outlive the work on it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn scratch(&self) -> Result<File> {
        let mut tmp = self.tmp_file()?;
        self.disk().remove(&tmp.path)?;
        tmp.named = true;
        let failed = |source| DiskError { op: Op::Create, path: tmp.path.clone(), cause: source };
        tmp.file.try_clone().map_err(failed)
    }
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let nanos = nanos & u128::from(u64::MAX);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff;
    format!("{PREFIX}{nanos:016x}{:012x}{count:04x}", std::process::id())
}

impl TmpFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.disk.write(&self.file, &self.path, bytes)?;
        self.out.grown(self.disk, &self.file, bytes.len() as u64);
        Ok(())
    }

    /// Lets the disk begin with all of it, for a [`sync`](Self::sync) later.
    pub(super) fn write_out(&mut self) {
        self.out.rest(self.disk, &self.file);
    }

    pub(super) fn sync(&self) -> Result<()> {
        self.disk.sync(&self.file, &self.path)
    }

    /// Gives the file its name, in place of whatever has it.
    pub(super) fn rename(mut self, to: &Path) -> std::result::Result<(), (Self, DiskError)> {
        match self.disk.rename(&self.path, to) {
            Ok(()) => {
                self.named = true;
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }
}

impl Drop for TmpFile {
    fn drop(&mut self) {
        if !self.named {
            // Nothing can be done about it here; what stays is swept as stale later.
            let _ = self.disk.remove(&self.path);
        }
    }
}
