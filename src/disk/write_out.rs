//! Starts to write a file to disk while it grows, so that its sync has little left to do.

use super::ops::Disk;
use rustix::fs::{Advice, fadvise};
use std::num::NonZeroU64;
use std::os::fd::AsFd;

impl Disk {
    /// Starts to write `len` bytes at `offset` to disk, without waiting, so that a later
    /// [sync](Self::sync) has less to do. `DontNeed` makes Linux start writing dirty pages.
    pub(crate) fn write_out(self, file: impl AsFd, offset: u64, len: u64) {
        if self.sync
            && let Some(len) = NonZeroU64::new(len)
        {
            // Only speed depends on this, so errors do not matter.
            let _ = fadvise(file, offset, Some(len), Advice::DontNeed);
        }
    }
}

/// Writes a growing file to disk piece by piece.
#[derive(Debug, Default)]
pub(crate) struct WriteOut {
    begun: u64,
    end: u64,
}

impl WriteOut {
    /// Large enough to keep the disk busy, small enough that little remains for the sync.
    pub(crate) const PIECE: u64 = 8 << 20;

    /// Notes that `file` has grown by `len` bytes. Starts writing once a piece is complete.
    pub(crate) fn grown(&mut self, disk: Disk, file: impl AsFd, len: u64) {
        self.end += len;
        if self.end - self.begun >= Self::PIECE {
            self.rest(disk, file);
        }
    }

    /// Starts writing the last, incomplete piece.
    pub(crate) fn rest(&mut self, disk: Disk, file: impl AsFd) {
        disk.write_out(file, self.begun, self.end - self.begun);
        self.begun = self.end;
    }
}
