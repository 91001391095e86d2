//! Removable media: packets to and from `DIR/RECIPIENT/SENDER/PACKET`. NNCP manual, "nncp-xfer".
//!
//! The medium is hostile: names are looked at one component at a time, links are never followed,
//! and only regular files are opened.

mod back;
mod medium;
mod rx;
mod tx;

pub use medium::Medium;
pub(crate) use medium::Shared;

use super::Options;
use crate::config::Neighbour;
use crate::local::Local;
use packmule_protocol::id::NodeId;
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Transfers packets between the spool and a medium.
#[derive(Clone, Copy)]
pub struct Xfer<'a> {
    /// This node.
    pub local: &'a Local,
    /// What to do.
    pub options: Options<'a>,
    /// Make directories for neighbours that have none on the medium.
    pub mkdir: bool,
    /// Leave packets that their recipient could not take off the medium.
    pub takeback: bool,
}

impl Xfer<'_> {
    fn wants(&self, neighbour: &Neighbour) -> bool {
        self.options.wants(&neighbour.id)
    }

    fn own(&self) -> NodeId {
        self.local.node.self_neighbour().id
    }

    /// Waits until what is behind `fd` would survive a power cut, or the stick being pulled out.
    fn sync(&self, fd: impl AsFd) -> io::Result<()> {
        if self.local.spool.disk().sync {
            rustix::fs::fsync(fd)?;
        }
        Ok(())
    }
}

/// Opens a directory on the medium; it may not be a link.
fn open_dir(at: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(at, name, flags, Mode::empty())?)
}

/// The names in a directory that are text, sorted.
fn names(dir: &OwnedFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        if let Ok(name) = entry?.file_name().to_str()
            && !matches!(name, "." | "..")
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn unlink(dir: &OwnedFd, name: &str) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?)
}
