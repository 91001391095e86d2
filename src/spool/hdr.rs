//! `hdr/`: copies of packets' headers, kept for the reference.
//!
//! The reference trusts them. packmule reads the packet itself, and corrects a copy that is missing
//! or differs.

use super::{Spool, Xx};
use crate::log::event::{self, HdrStep};
use packmule_protocol::id::NodeId;
use packmule_protocol::packet::{HEADER_LEN, Header};
use rustix::fs::{Mode, OFlags, openat};
use std::os::fd::BorrowedFd;

impl Spool {
    /// Writes the copy of a packet's header. Only logs errors, because packmule does not need the
    /// copy. True if it was written.
    pub(super) fn write_hdr(&self, node: &NodeId, xx: Xx, name: &str, header: &Header) -> bool {
        if !self.0.hdr {
            return true;
        }
        let result = self.write_hdr_steps(node, xx, name, header.as_bytes());
        if let Err((step, error)) = &result {
            self.log().error(event::hdr_write(*step), error);
        }
        result.is_ok()
    }

    fn write_hdr_steps(
        &self,
        node: &NodeId,
        xx: Xx,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), (HdrStep, crate::disk::DiskError)> {
        let mut tmp = self.tmp_file().map_err(|error| (HdrStep::Tmp, error))?;
        tmp.write(bytes).map_err(|error| (HdrStep::Write, error))?;
        let path = self.hdr(node, xx, name);
        match tmp.rename(&path) {
            Ok(()) => Ok(()),
            Err((tmp, _)) => {
                let dir = self.hdr_dir(node, xx);
                self.ensure_dir(&dir).map_err(|error| (HdrStep::Mkdir, error))?;
                tmp.rename(&path).map_err(|(_, error)| (HdrStep::Rename, error))
            }
        }
    }

    /// Removes the copy of a header, if copies are kept. Ignores errors: a stale copy does no harm.
    pub(super) fn remove_hdr(&self, node: &NodeId, xx: Xx, name: &str) {
        if self.0.hdr {
            let _ = self.disk().remove_if_there(self.hdr(node, xx, name));
        }
    }
}

/// True if the copy in the directory `dir` exists and is correct.
pub(super) fn is_right(dir: BorrowedFd<'_>, name: &str, header: &Header) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut copy = [0; HEADER_LEN + 1];
    openat(dir, name, flags, Mode::empty())
        .and_then(|file| rustix::io::read(&file, &mut copy))
        .is_ok_and(|len| copy[..len] == header.as_bytes()[..])
}
