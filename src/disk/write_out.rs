//! Writing out begins while a file grows, so that little is left for its sync.

use super::ops::Disk;
use rustix::fs::{Advice, fadvise};
use std::{num::NonZeroU64, os::fd::AsFd};

impl Disk {
    /// Begins to write `len` bytes at `offset` out, and waits for nothing: less is left for the
    /// [sync](Self::sync) that follows. Linux starts writing what it is told is not needed.
    pub(crate) fn write_out(self, file: impl AsFd, offset: u64, len: u64) {
        if self.sync
            && let Some(len) = NonZeroU64::new(len)
        {
            // Nothing depends on it.
            let _ = fadvise(file, offset, Some(len), Advice::DontNeed);
        }
    }
}

/// Begins to write a file out while it is still growing, a piece at a time.
#[derive(Debug, Default)]
pub(crate) struct WriteOut {
    begun: u64,
    end: u64,
}

impl WriteOut {
    /// Large enough for the disk to be busy with, small enough that little is left at the end.
    pub(crate) const PIECE: u64 = 8 << 20;

    /// `file` has grown by `len` bytes.
    pub(crate) fn grown(&mut self, disk: Disk, file: impl AsFd, len: u64) {
        self.end += len;
        if self.end - self.begun >= Self::PIECE {
            self.rest(disk, file);
        }
    }

    /// No more comes: what is left is begun too.
    pub(crate) fn rest(&mut self, disk: Disk, file: impl AsFd) {
        disk.write_out(file, self.begun, self.end - self.begun);
        self.begun = self.end;
    }
}
