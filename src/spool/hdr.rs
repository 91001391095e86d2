//! `hdr/`: copies of packets' headers, kept for the reference's sake.
//!
//! The reference believes them. We read the packet itself, and set right a copy that is missing or
//! says something else.

use super::{Spool, Xx};
use crate::log::event::{self, HdrStep};
use packmule_protocol::{
    id::NodeId,
    packet::{HEADER_LEN, Header},
};
use rustix::fs::{Mode, OFlags, openat};
use std::os::fd::BorrowedFd;

impl Spool {
    /// Writes the copy of a packet's header. Failure is logged: the copy is not needed.
    ///
    /// Returns whether it worked.
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

    /// Removes the copy of a header, if copies are kept. Failure does no harm.
    pub(super) fn remove_hdr(&self, node: &NodeId, xx: Xx, name: &str) {
        if self.0.hdr {
            let _ = self.disk().remove_if_there(self.hdr(node, xx, name));
        }
    }
}

/// Whether the copy in the directory `dir` is there and right.
pub(super) fn is_right(dir: BorrowedFd<'_>, name: &str, header: &Header) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut copy = [0; HEADER_LEN + 1];
    openat(dir, name, flags, Mode::empty())
        .and_then(|file| rustix::io::read(&file, &mut copy))
        .is_ok_and(|len| copy[..len] == header.as_bytes()[..])
}
