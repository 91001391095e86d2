//! Removable media: packets to and from `DIR/RECIPIENT/SENDER/PACKET`. NNCP manual, "nncp-xfer".
//!
//! The medium is hostile: names are looked at one component at a time, links are never followed,
//! and only regular files are opened.

mod back;
mod medium;
mod rx;
mod tx;

pub use medium::{Medium, Shared};

use crate::config::Neighbour;
use crate::local::Local;
use packmule_protocol::id::NodeId;
use packmule_protocol::niceness::Niceness;
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a transfer does.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Packets above this niceness stay where they are.
    pub nice: Niceness,
    /// Nothing is removed from where it was.
    pub keep: bool,
    /// Make directories for neighbours that have none on the medium.
    pub mkdir: bool,
    /// Nothing goes onto the medium that would be [`stranded`](Xfer::stranded) there.
    pub takeback: bool,
    /// Only packets from or to this neighbour.
    pub only: Option<&'a Neighbour>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { nice: Niceness::MAX, keep: false, mkdir: false, takeback: false, only: None }
    }
}

/// What a transfer did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets that are where they were to go, durably.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of the packets that were there already, and good.
    pub there: u64,
    /// Packets that were left behind on purpose: too nice, or tossed before.
    pub skipped: u64,
    /// Packets and directories that something was wrong with. It was logged.
    pub failed: u64,
    /// Neighbours that another process was sending to.
    pub busy: u64,
}

impl Report {
    /// Adds another direction's.
    pub fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.there += other.there;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.busy += other.busy;
    }
}

/// Transfers packets between the spool and a medium.
#[derive(Clone, Copy)]
pub struct Xfer<'a> {
    /// This node.
    pub local: &'a Local,
    /// What to do.
    pub options: Options<'a>,
}

impl Xfer<'_> {
    fn wants(&self, neighbour: &Neighbour) -> bool {
        self.options.only.is_none_or(|only| only.id == neighbour.id)
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
